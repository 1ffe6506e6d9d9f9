//! `stats`: how many users and sessions there are, and who signed up and in.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::stats::{Period, Series, Stats};
use crate::cli::when::{self, When};
use crate::context::Context;
use crate::output::chart::{bar, parts_of_a_mark, sparkline};
use crate::output::table::{Column, Tone, facts, table};
use crate::output::text::{amount, grouped, rfc3339};
use crate::output::{Outcome, Page, Report, Style};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl stats
  authctl stats --since 7d
  authctl stats --json | jq .signIns.total

Sign-ups are the users of the database who were created since then. Sign-ins (also the
one of a sign-up) and failures are those of the audit log; in the database of an app,
those through authctl. With --json, `series` has the numbers of equal parts of the time,
each `stepSeconds` long, and what the database cannot tell is null.";

#[derive(Debug, Args)]
pub struct StatsArgs {
    /// From this time on: 7d for seven days ago, today, yesterday, 2026-11-25 or 2026-11-25T12:00:00Z (days in UTC)
    #[arg(long, value_name = "TIME", value_parser = when::past, default_value = "30d")]
    pub since: When,
}

pub(super) fn run(args: &StatsArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let now = context.now()?;
    let period = Period::new(args.since.instant(now), now);
    let stats = context.auth()?.store.stats(&period, now)?;
    Ok(StatsReport { period, stats }.into())
}

#[derive(Debug)]
struct StatsReport {
    period: Period,
    stats: Stats,
}

/// What a text has in place of a number that is not known.
const UNKNOWN: &str = "unknown";
/// The width of the names of numbers, with the gap after them.
const NAMES_WIDTH: usize = 17;
/// The width of a percentage, with the gaps around it.
const PERCENT_WIDTH: usize = 8;
const BAR_MAX: usize = 40;
/// The width of the chart if the terminal does not tell its own.
const WIDTH: u16 = 80;

impl StatsReport {
    fn counts(&self) -> [(&'static str, Option<u64>); 4] {
        let Stats { users, verified, second_factor, live_sessions, .. } = &self.stats;
        [
            ("users", Some(*users)),
            ("verified", *verified),
            ("second factor", *second_factor),
            ("live sessions", *live_sessions),
        ]
    }

    fn series(&self) -> [(&'static str, &Series, Tone); 3] {
        let Stats { sign_ups, sign_ins, failures, .. } = &self.stats;
        [
            ("sign-ups", sign_ups, Tone::Plain),
            ("sign-ins", sign_ins, Tone::Good),
            ("failed sign-ins", failures, Tone::Bad),
        ]
    }

    /// Numbers with bars and sparklines.
    fn chart(&self, style: Style) -> String {
        let number = |count: Option<u64>| count.map_or_else(|| UNKNOWN.to_owned(), grouped);
        let counts = self.counts().map(|(name, count)| (name, count, number(count)));
        let series = self.series().map(|(name, series, tone)| (name, series, tone, number(series.known())));
        let numbers = counts.iter().map(|(.., text)| text).chain(series.iter().map(|(.., text)| text));
        let digits = numbers.map(String::len).max().unwrap_or_default();
        let room = usize::from(style.width.unwrap_or(WIDTH)).saturating_sub(NAMES_WIDTH + digits);
        let line = |name: &str, number: &str, rest: String| {
            format!("{name:<NAMES_WIDTH$}{number:>digits$}{rest}").trim_end().to_owned() + "\n"
        };
        let mut text = String::new();
        for (name, count, number) in &counts {
            let of_users = count.filter(|_| matches!(*name, "verified" | "second factor"));
            let rest = of_users.map(|count| {
                let percent = match count.saturating_mul(100) / self.stats.users.max(1) {
                    0 if count > 0 => "<1".to_owned(),
                    percent => percent.to_string(),
                };
                let width = room.saturating_sub(PERCENT_WIDTH).min(BAR_MAX);
                format!("  {percent:>3}%  {}", bar(count, self.stats.users, width, Tone::Good, style))
            });
            text.push_str(&line(name, number, rest.unwrap_or_default()));
        }
        let most = series.iter().map(|(_, series, ..)| {
            let most = series.parts.iter().flatten().max();
            most.map_or(0, |most| " most ".len() + 2 + grouped(*most).len())
        });
        let parts = self.period.parts();
        let room = room.saturating_sub(2);
        // The highest values are shown where each part has a mark of its own.
        let beside = most.max().unwrap_or_default();
        let has_most = parts > 1 && parts + beside <= room;
        let of_a_mark = parts_of_a_mark(parts, room);
        text.extend(["\n", &*Tone::Heading.paint(&self.heading(of_a_mark), style), "\n"]);
        for (name, series, tone, number) in &series {
            let (marks, most) = sparkline(&series.parts, room, *tone, style);
            let most = most.filter(|most| has_most && *most > 0);
            let most = most.map(|most| format!("  most {}", grouped(most))).unwrap_or_default();
            text.push_str(&line(name, number, format!("  {marks}{most}")));
        }
        text
    }

    /// The period and what a mark stands for.
    fn heading(&self, parts_of_a_mark: usize) -> String {
        let mark = self.period.step().as_secs().unsigned_abs().saturating_mul(parts_of_a_mark as u64);
        let mark = amount(mark);
        format!("since {}, a mark for each {}", self.date(self.period.since), mark.strip_prefix("1 ").unwrap_or(&mark))
    }

    /// A time in UTC: the date, and the time of day if parts are shorter than a day.
    fn date(&self, at: Timestamp) -> String {
        const DAY: i64 = 24 * 60 * 60;
        let form = if self.period.step().as_secs() < DAY { "%Y-%m-%d %H:%M UTC" } else { "%Y-%m-%d" };
        at.strftime(form).to_string()
    }

    /// Numbers for a pipe, and a table of the parts.
    fn lines(&self, style: Style) -> String {
        let shown = |count: Option<u64>, unknown: &str| count.map_or_else(|| unknown.to_owned(), |n| n.to_string());
        let totals = self.series().map(|(name, series, _)| (name, series.total));
        let lines = self.counts().into_iter().chain(totals);
        let lines: Vec<_> = lines.map(|(name, count)| (name, shown(count, UNKNOWN))).collect();
        let series = self.series();
        let rows = self.period.starts().enumerate().map(|(part, start)| {
            let counts = series.iter().map(|(_, series, _)| shown(series.parts.get(part).copied().flatten(), "-"));
            std::iter::once(rfc3339(start)).chain(counts).collect()
        });
        let columns = ["FROM", "SIGN-UPS", "SIGN-INS", "FAILED"].map(Column::whole);
        format!("{}\n{}", facts(&lines), table(&columns, rows.collect(), style))
    }

    /// Why numbers are not known, or are not all there is.
    fn notes(&self) -> Vec<String> {
        let Stats { verified, second_factor, live_sessions, sign_ups, sign_ins, log_begins, is_guest, .. } =
            &self.stats;
        let lacking = [
            (verified.is_none(), "the app has no column for verified addresses"),
            (second_factor.is_none(), "the app has no column for second factors"),
            (live_sessions.is_none(), "the app keeps its sessions elsewhere"),
            (sign_ups.known().is_none(), "the times at which users were created cannot be read"),
        ];
        let mut notes: Vec<_> =
            lacking.into_iter().filter(|(is_lacking, _)| *is_lacking).map(|(_, why)| why.to_owned()).collect();
        if *is_guest {
            notes.push("sign-ins and failures are those through authctl: the log has none of the app's own".to_owned());
        }
        if sign_ins.total.is_none() {
            notes.push(log_begins.map_or_else(
                || "the audit log is empty".to_owned(),
                |begins| format!("the audit log begins at {}", rfc3339(begins)),
            ));
        }
        notes
    }
}

impl Report for StatsReport {
    fn text(&self, _: Timestamp, style: Style) -> Page {
        let answer = if style.terminal { self.chart(style) } else { self.lines(style) };
        Page { answer, notes: self.notes(), ..Page::default() }
    }

    fn json(&self) -> Value {
        let series = |series: &Series| json!({ "total": series.total, "series": series.parts });
        let Stats { users, verified, second_factor, live_sessions, log_begins, is_guest, .. } = &self.stats;
        json!({
            "since": rfc3339(self.period.since),
            "until": rfc3339(self.period.until),
            "stepSeconds": self.period.step().as_secs(),
            "users": users,
            "verified": verified,
            "secondFactor": second_factor,
            "liveSessions": live_sessions,
            "signUps": series(&self.stats.sign_ups),
            "signIns": series(&self.stats.sign_ins),
            "failures": series(&self.stats.failures),
            "logBegins": log_begins.map(rfc3339),
            "onlyThroughAuthctl": is_guest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::at;

    const DAY: i64 = 24 * 60 * 60;

    fn report() -> StatsReport {
        let period = Period::new(at(-30 * DAY), at(0));
        let counts = |factor: u64| (0..30).map(|day| day * day % 17 * factor).collect::<Vec<_>>();
        let series = |factor| Series::known_since(None, &counts(factor), &period);
        let stats = Stats {
            users: 1_000_000,
            verified: Some(666_666),
            second_factor: Some(1),
            live_sessions: Some(699_961),
            sign_ups: series(81),
            sign_ins: series(4_003),
            failures: Series::known_since(Some(at(-20 * DAY)), &counts(7), &period),
            log_begins: Some(at(-20 * DAY)),
            is_guest: false,
        };
        StatsReport { period, stats }
    }

    fn screen(width: u16) -> String {
        let style = Style { terminal: true, width: Some(width), unicode: true, ..Style::default() };
        let text = report().text(at(0), style).answer;
        assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
        text
    }

    #[test]
    fn chart_fits_its_terminal() {
        insta::assert_snapshot!([60, 80, 120].map(screen).join("\n"), @"
        users            1,000,000
        verified           666,666   66%  █████████████████▍
        second factor            1   <1%  ▏
        live sessions      699,961

        since 2026-08-22, a mark for each day
        sign-ups            19,602  ▁▂▃▅█▅▂█▇▇█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅
        sign-ins           968,726  ▁▂▃▅█▅▂█▇▇█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅
        failed sign-ins      1,127  ··········█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅

        users            1,000,000
        verified           666,666   66%  ██████████████████████████▊
        second factor            1   <1%  ▏
        live sessions      699,961

        since 2026-08-22, a mark for each day
        sign-ups            19,602  ▁▂▃▅█▅▂█▇▇█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅  most 1,296
        sign-ins           968,726  ▁▂▃▅█▅▂█▇▇█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅  most 64,048
        failed sign-ins      1,127  ··········█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅  most 112

        users            1,000,000
        verified           666,666   66%  ██████████████████████████▊
        second factor            1   <1%  ▏
        live sessions      699,961

        since 2026-08-22, a mark for each day
        sign-ups            19,602  ▁▂▃▅█▅▂█▇▇█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅  most 1,296
        sign-ins           968,726  ▁▂▃▅█▅▂█▇▇█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅  most 64,048
        failed sign-ins      1,127  ··········█▂▅█▅▃▂▁▂▃▅█▅▂█▇▇█▂▅  most 112
        ");
    }

    #[test]
    fn chart_is_ascii_on_a_terminal_without_unicode() {
        let style = Style { terminal: true, width: Some(40), ..Style::default() };
        insta::assert_snapshot!(report().text(at(0), style).answer, @"
        users            1,000,000
        verified           666,666   66%  ####
        second factor            1   <1%  #
        live sessions      699,961

        since 2026-08-22, a mark for each 3 days
        sign-ups            19,602  .****.-+#+
        sign-ins           968,726  .****.-+#+
        failed sign-ins      1,127  ????*.-+#+
        ");
    }

    #[test]
    fn what_is_not_known_is_null_and_never_zero() {
        let mut report = report();
        report.stats.verified = None;
        report.stats.sign_ins = Series::unknown(&report.period);
        report.stats.log_begins = None;
        let json = report.json();
        assert!(json["verified"].is_null() && json["signIns"]["total"].is_null() && json["logBegins"].is_null());
        assert!(json["failures"]["total"].is_null() && json["failures"]["series"][0].is_null(), "{json}");
        assert_eq!((&json["failures"]["series"][29], &json["signUps"]["series"][0]), (&56.into(), &0.into()));
        insta::assert_snapshot!(report.notes().join("\n"), @"
        the app has no column for verified addresses
        the audit log is empty
        ");
        let text = report.text(at(0), Style::default()).answer;
        let starts: Vec<&str> = text.lines().take(6).chain(text.lines().skip(8).take(2)).collect();
        insta::assert_snapshot!(starts.join("\n"), @"
        users            1000000
        verified         unknown
        second factor    1
        live sessions    699961
        sign-ups         19602
        sign-ins         unknown
        FROM                      SIGN-UPS  SIGN-INS  FAILED
        2026-08-22T14:13:20.000Z  0         -         -
        ");
    }
}
