//! How many sign-ins a second crowds of processes do, beside the hashes a second that the same crowd of processes
//! computes: the hash bounds a sign-in, and what is between the two is the rest of the program and the database.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::place::Place;

/// Processes at work at once.
const CLIENTS: [usize; 3] = [1, 8, 64];
/// How long a crowd works.
const LENGTH: Duration = Duration::from_secs(10);
/// Users of the database. A client signs in its own, one after the other.
const USERS: usize = 6_400;

/// Prints a line for each crowd, in a file or in a schema of its own on a server.
pub(crate) fn print(server: Option<&str>, own_hash: impl Fn() -> Command + Sync) {
    let mut place = Place::new(USERS);
    if let Some(address) = server {
        place.copy_to_server(address);
    }
    println!("| clients | hashes/s | sign-ins/s | of the bound | longest, ms |\n|---:|---:|---:|---:|---:|");
    for clients in CLIENTS {
        let (hashes, _) = rate(clients, |_, _| own_hash());
        let (sign_ins, longest) = rate(clients, |client, round| {
            let of_client = USERS / CLIENTS[CLIENTS.len() - 1];
            let user = 1 + client * of_client + round % of_client;
            let mut command = place.sign_in(&format!("user{user}@example.com"), "password");
            command.env("XDG_CONFIG_HOME", place.path(&format!("config{client}")));
            command
        });
        let bound = sign_ins / hashes;
        println!("| {clients} | {hashes:.1} | {sign_ins:.1} | {bound:.2} | {:.0} |", longest.as_secs_f64() * 1000.0);
    }
    if server.is_some() {
        place.leave_server();
    }
}

/// Runs programs in so many threads and returns how many end in a second, and the time of the slowest. All must succeed.
fn rate(clients: usize, program: impl Fn(usize, usize) -> Command + Sync) -> (f64, Duration) {
    let start = Instant::now();
    let work = |client| {
        let (mut count, mut longest) = (0_u32, Duration::ZERO);
        while start.elapsed() < LENGTH {
            let mut command = program(client, count as usize);
            let begun = Instant::now();
            let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output().unwrap();
            assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
            longest = longest.max(begun.elapsed());
            count += 1;
        }
        (count, longest)
    };
    let done: Vec<(u32, Duration)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|client| scope.spawn(move || work(client))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let took = start.elapsed().as_secs_f64();
    let count: u32 = done.iter().map(|(count, _)| count).sum();
    (f64::from(count) / took, done.iter().map(|(_, longest)| *longest).max().unwrap_or_default())
}
