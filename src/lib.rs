//! authctl: accounts, passwords and sessions in a terminal, on one `SQLite` file.
//!
//! The crate is a library so that tests can reach inside. It promises no stable interface. The folders are the
//! architecture:
//!
//! | idea | is | lives in |
//! |---|---|---|
//! | Cli | the command line as plain data: the global flags and the list of commands | [`cli`] |
//! | Context | the outside as values: now, entropy, prompts, places; opens the database on demand | [`context`] |
//! | Auth | the rules; knows no terminal, file or SQL | [`auth`] |
//! | Store | storage: a trait of the rules, whose methods are one transaction each | [`auth::storage`], made in [`store`] |
//! | Report | the result of a command, as text and as JSON | [`output`] |
//! | Failure | an error as users see it: message, hint, exit code | [`error`] |
//!
//! [`mail`] sends one message in a process of its own. [`import`] reads the exports of other systems.
//!
//! [`cli::parse`] turns words into data, [`run`] builds a [`context::Context`], [`commands::run`] applies the
//! rules and returns an [`output::Report`] or an error, and [`run`] prints it. So a command cannot print,
//! output cannot decide, and the rules get the time as an argument.
//!
//! A test (`tests/it/architecture.rs`) checks which module may import which, and which module may use which
//! package.

pub mod auth;
pub mod cli;
pub mod commands;
pub mod context;
pub mod error;
pub mod export;
pub mod getent;
pub mod import;
pub mod input_file;
pub mod interrupt;
pub mod mail;
pub mod output;
pub mod output_file;
pub mod paths;
pub mod prompt;
pub mod session_file;
pub mod store;

#[cfg(test)]
#[path = "../tests/it/scratch.rs"]
mod scratch;

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal as _, Read as _};
use std::os::unix::process::CommandExt as _;
use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use auth::audit::{Event, Subject};
use auth::user::UserRef;
use cli::values::TimeWord;
use cli::{Cli, ColorChoice, Parsed, UsageError};
use commands::audit::follow::Follower;
use commands::pages::Pages;
use context::{Approach, Context, Environment, GlobalOptions};
use error::{ExitCode, Failure};
use mail::handover;
use output::{Followed, Outcome, Page, Report, Style, Times, pager};

/// Runs the program on its command line and returns its exit code.
pub fn run() -> std::process::ExitCode {
    // Before anything that takes memory.
    if let Some(needed) = address_space_needed() {
        output::write_message(&format!(
            "error: the limit of address space is below the {} MiB that authctl needs\nhint: ulimit -v unlimited",
            needed.div_ceil(MIB)
        ));
        return std::process::ExitCode::from(ExitCode::Failed.number());
    }
    prepare_process();
    let code = if runs_with_borrowed_rights() {
        output::write_message("error: authctl refuses to run setuid or setgid: its rules rest on who owns the files");
        ExitCode::Refused
    } else {
        panic::catch_unwind(AssertUnwindSafe(|| {
            if is_delivery_process() {
                deliver_mail()
            } else if let Some((shell, words)) = completion_request() {
                print(&commands::complete::answer(&shell, words), false, false)
            } else {
                answer_command_line()
            }
        }))
        .unwrap_or(ExitCode::Failed)
    };
    std::process::ExitCode::from(code.number())
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// The address space in bytes that authctl needs beside what the loaded program takes. With less, an allocation that cannot
/// report a failure ends the process by a signal. With more, password hashes report the lack of memory as an error.
const ADDRESS_SPACE_BESIDE_PROGRAM: u64 = 6 * MIB;

/// The address space in bytes that the process needs, if its limit is below that.
fn address_space_needed() -> Option<u64> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current?;
    // Without `/proc`, nothing tells the size of the program, and the kernel decides.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB"))?;
    let needed = size.parse::<u64>().ok()? * KIB + ADDRESS_SPACE_BESIDE_PROGRAM;
    (limit < needed).then_some(needed)
}

fn runs_with_borrowed_rights() -> bool {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    getuid() != geteuid() || getgid() != getegid()
}

fn prepare_process() {
    // A file size limit becomes an error of the write instead of a deadly signal. If the handler cannot be set, the
    // limit still holds.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
    // Keeps the secrets in memory out of core dumps and debuggers.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    // The payload of a panic may quote a secret, so only its location is printed.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        output::write_message(&format!("error: authctl has a bug, please report it: it stopped at {place}"));
    }));
}

/// Whether a command started this process to deliver a message.
fn is_delivery_process() -> bool {
    std::env::args_os().skip(1).eq([handover::DELIVERY_PROCESS])
}

/// The shell that asks for the candidates of a command line, and the words of that line.
fn completion_request() -> Option<(OsString, Vec<OsString>)> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != commands::complete::REQUEST {
        return None;
    }
    let shell = arguments.next()?;
    (arguments.next()? == *"--").then(|| (shell, arguments.collect()))
}

/// Delivers the message that a command handed over. The command has ended, so a failure becomes an entry of the audit
/// log.
fn deliver_mail() -> ExitCode {
    // The process has no terminal that could hang up, but other processes may send the signal too.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::new(AtomicBool::new(false)));
    let parcel = match handover::take_over() {
        Ok(parcel) => parcel,
        Err(error) => {
            output::write_message(&format!("error: {} is for authctl itself: {error}", handover::DELIVERY_PROCESS));
            return ExitCode::Usage;
        }
    };
    if !parcel.deliver {
        return ExitCode::Done;
    }
    let environment = Environment::read();
    match parcel.deliver(environment.of_mailer().to_vec()) {
        Ok(()) => ExitCode::Done,
        Err(failure) => {
            let mail::Report { database, schema, wait, user_id, about } = parcel.report;
            let options = GlobalOptions { wait, schema, ..GlobalOptions::default() };
            let mut context = Context::new(options, environment.naming(database));
            // If the log cannot be written either, the failure is lost.
            let _ = report(&mut context, &user_id, &format!("{about}: {failure}"));
            ExitCode::Failed
        }
    }
}

/// Records a failed delivery in the audit log. An invitation is for no user.
fn report(context: &mut Context, user_id: &str, failure: &str) -> anyhow::Result<()> {
    let auth = context.auth_under_any_policy()?;
    let event = match auth.store.user(&UserRef::Id(user_id.to_owned()))? {
        _ if user_id.is_empty() => Event::new("mail.failed"),
        Some(user) => Event::user("mail.failed", &user),
        None => Event::user("mail.failed", Subject::read(user_id, None)),
    };
    Ok(auth.store.record(event.with(failure))?)
}

fn answer_command_line() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let wants_json = cli::wants_json(&words);
    let environment = Environment::read();
    let approach = if cli::opens_at_once(&words) { Approach::begin(&environment) } else { None };
    match cli::parse(words) {
        Parsed::Command(cli) => answer(&cli, environment, approach),
        Parsed::Page(page) => print(&page, wants_json, false),
        Parsed::NoCommand(help) => {
            output::write_message(help.trim_end());
            ExitCode::Usage
        }
        Parsed::Mistake(error) => print_mistake(error, wants_json),
    }
}

fn print_mistake(error: UsageError, json: bool) -> ExitCode {
    print_failure(&Failure::from(anyhow::Error::new(error)), json, false)
}

fn answer(cli: &Cli, environment: Environment, approach: Option<Approach>) -> ExitCode {
    let style = style(cli, &environment);
    let mut context = Context::new(options(cli), environment).approaching(approach);
    let result = commands::run(&cli.command, &mut context);
    print_notices(cli, &mut context);
    context.end_with_process();
    let unlogged = context.unlogged.take().map(|error| Failure::of_unlogged(&error));
    // Before `guard` starts its program, the failure must be printed.
    let is_printed = matches!(result, Ok(Outcome::Exec(_)));
    let code = print_result(result, cli, style, context, unlogged.as_ref());
    match unlogged {
        Some(failure) => {
            if !is_printed {
                print_failure(&failure, cli.global.json, style.color);
            }
            if code == ExitCode::Done { failure.code } else { code }
        }
        None => code,
    }
}

fn print_notices(cli: &Cli, context: &mut Context) {
    if !cli.global.quiet {
        for notice in context.take_notices() {
            output::write_message(&format!("note: {}", output::text::escape(&notice)));
        }
    }
}

/// Prints the result of a command.
fn print_result(
    result: anyhow::Result<Outcome>,
    cli: &Cli,
    style: Style,
    mut context: Context,
    unlogged: Option<&Failure>,
) -> ExitCode {
    match result {
        Ok(Outcome::Exec(command)) => {
            if let Some(failure) = unlogged {
                print_failure(failure, cli.global.json, style.color);
            }
            // Closes the database before the program starts.
            drop(context);
            become_command(*command, cli.global.json, style)
        }
        Ok(Outcome::List(listing, layout)) => {
            match commands::pages::pages(*listing, &cli.command, &layout.as_document(cli.global.json), style) {
                Ok(mut pages) => print_pages(&mut *pages, cli, style, &mut context),
                Err(error) => print_failure(&Failure::from(error), cli.global.json, style.color),
            }
        }
        Ok(Outcome::Follow(followed)) => follow(*followed, cli, style, &mut context),
        Ok(Outcome::Bytes { file, report }) => print_bytes(file, &*report, cli, style, &mut context),
        Ok(Outcome::Silent) => ExitCode::Done,
        Ok(Outcome::Text(text)) => print(&text, cli.global.json, style.color),
        Ok(Outcome::Report(report)) => print_report(&*report, cli, style, &mut context),
        Err(error) => {
            let failure = Failure::from(error);
            if is_answer_to_check(&failure, cli) {
                return failure.code;
            }
            print_failure(&failure, cli.global.json, style.color)
        }
    }
}

/// Whether the exit code is the whole answer, as for `whoami --check`.
fn is_answer_to_check(failure: &Failure, cli: &Cli) -> bool {
    matches!(&cli.command, cli::Command::Whoami(args) if args.check) && failure.code == ExitCode::NotSignedIn
}

fn options(cli: &Cli) -> GlobalOptions {
    GlobalOptions {
        database: cli.global.db.clone(),
        wait: cli.global.wait,
        no_input: cli.global.no_input,
        quiet: cli.global.quiet,
        yes: cli.global.yes,
        reason: cli.global.reason.clone(),
        schema: cli.global.schema.clone(),
    }
}

fn style(cli: &Cli, environment: &Environment) -> Style {
    let is_colored = |is_terminal: bool| match cli.global.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => is_terminal && !environment.no_color(),
    };
    let terminal = std::io::stdout().is_terminal();
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok();
    let (width, height) = (size.map(|size| size.ws_col), size.map(|size| size.ws_row));
    // Answers in a pipe are for programs.
    let paints = terminal && is_colored(true);
    let times = match cli.global.time {
        Some(TimeWord::Local) => Some(Times::Local),
        Some(TimeWord::Utc) => Some(Times::Utc),
        Some(TimeWord::Relative) => Some(Times::Relative),
        Some(TimeWord::Seconds | TimeWord::Milliseconds) | None => None,
    };
    let color = is_colored(std::io::stderr().is_terminal());
    Style { terminal, width, height, times, color, paints, unicode: environment.is_utf8() }
}

/// Prints a page such as help.
fn print(page: &str, json: bool, color: bool) -> ExitCode {
    match output::write_answer(page) {
        Ok(()) => ExitCode::Done,
        Err(error) => print_failure(&Failure::of_output(&error, None), json, color),
    }
}

/// Prints a report. An answer that cannot be written is a failure of its own.
fn print_report(report: &dyn Report, cli: &Cli, style: Style, context: &mut Context) -> ExitCode {
    let text = |context: &mut Context| report.text(context.now().unwrap_or_default(), style);
    let page = if cli.global.json { Page::answer(report.document()) } else { text(context) };
    if let Err(error) = output::write_answer(&page.answer) {
        let done = text(context).done;
        // "signed in as ...; the session ends in 7 days": what was done, and nothing else.
        let done = done.first().and_then(|done| done.split([';', '\n']).next()).map(str::to_owned);
        let done = done.or_else(|| context.take_done().map(|done| done.what));
        let done = done.as_deref();
        let failure = match report.unheld_token() {
            Some(token) => {
                let ended = context.auth().is_ok_and(|auth| auth.store.end_session(token).is_ok());
                Failure::of_output(&error, done.filter(|_| !ended)).with_ended_session(ended)
            }
            None => Failure::of_output(&error, done).with_way_out(report.lost_answer_hint()),
        };
        return print_failure(&failure, cli.global.json, style.color);
    }
    if !cli.global.quiet {
        for line in page.done.iter().chain(&page.notes) {
            output::write_message(line);
        }
    }
    page.errors.iter().for_each(|line| output::write_message(line));
    report.exit_code()
}

/// The bytes of a file that are printed at once.
const CHUNK_BYTES: usize = 1 << 16;

/// Prints a file. `--json` changes nothing: the file is the answer.
fn print_bytes(mut file: File, report: &dyn Report, cli: &Cli, style: Style, context: &mut Context) -> ExitCode {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                let failure = Failure::from(anyhow::Error::new(error).context("could not read the copy"));
                return print_failure(&failure, cli.global.json, style.color);
            }
        };
        if let Err(error) = output::write_bytes(&chunk[..read]) {
            return print_failure(&Failure::of_output(&error, None), cli.global.json, style.color);
        }
    }
    if !cli.global.quiet {
        let page = report.text(context.now().unwrap_or_default(), style);
        page.done.iter().chain(&page.notes).for_each(|line| output::write_message(line));
    }
    report.exit_code()
}

/// Prints a list page by page. An act goes on when its answer cannot be written.
fn print_pages(pages: &mut dyn Pages, cli: &Cli, style: Style, context: &mut Context) -> ExitCode {
    let mut unwritten = None;
    let result = loop {
        let page = match commands::settled(pages.next(context), context) {
            Ok(page) => page,
            Err(error) => {
                if unwritten.is_none() {
                    unwritten = output::write_answer(&pages.cut_off()).err();
                }
                break Err(Failure::from(error));
            }
        };
        if unwritten.is_none() {
            unwritten = print_part(&page.answer, cli, style, context).err();
        }
        print_notices(cli, context);
        if unwritten.is_none() && !cli.global.quiet {
            page.done.iter().chain(&page.notes).for_each(|line| output::write_message(line));
        }
        page.errors.iter().for_each(|line| output::write_message(line));
        if pages.is_over() || unwritten.is_some() && !pages.is_act() {
            break Ok(());
        }
    };
    let unlogged = context.unlogged.take().map(|error| Failure::of_unlogged(&error));
    let unwritten =
        unwritten.map(|error| Failure::of_output(&error, context.take_done().map(|done| done.what).as_deref()));
    let failures = [result.err(), unwritten, unlogged];
    let codes = failures.iter().flatten().map(|failure| print_failure(failure, cli.global.json, style.color));
    codes.reduce(|first, _| first).unwrap_or_else(|| pages.exit_code())
}

/// Prints a part of a list, in a pager if it does not fit the screen.
fn print_part(part: &str, cli: &Cli, style: Style, context: &Context) -> std::io::Result<()> {
    match context.pager() {
        Some(chosen) if !cli.global.no_pager && pager::exceeds_screen(part, style) && pager::show(part, chosen) => {
            Ok(())
        }
        _ => output::write_answer(part),
    }
}

/// How often the audit log is read again for new entries.
const FOLLOW_POLL: std::time::Duration = std::time::Duration::from_millis(500);

/// Prints entries of the audit log as they come, until the process is ended or its output is closed. Each line is one
/// write, so that a reader has whole lines when the process is ended.
fn follow(followed: Followed, cli: &Cli, style: Style, context: &mut Context) -> ExitCode {
    let mut log = Follower::new(followed, cli.global.json, style);
    loop {
        let (lines, has_more) = match log.next(context) {
            Ok(next) => next,
            Err(error) => return print_failure(&Failure::from(error), cli.global.json, style.color),
        };
        for line in lines {
            if let Err(error) = output::write_answer(&line) {
                return print_failure(&Failure::of_output(&error, None), cli.global.json, style.color);
            }
        }
        if !has_more {
            std::thread::sleep(FOLLOW_POLL);
        }
    }
}

/// Replaces this process by the program; returns only when that fails.
fn become_command(mut command: Command, json: bool, style: Style) -> ExitCode {
    let error = command.exec();
    let program = command.get_program().to_string_lossy();
    print_failure(&Failure::of_exec(&program, &error), json, style.color)
}

fn print_failure(failure: &Failure, json: bool, color: bool) -> ExitCode {
    if !failure.is_silent() {
        output::write_message(&if json { failure.json() } else { failure.text(color) });
    }
    failure.code
}
