//! Links the program of a debug build at a fixed address. Without relocations it starts in two thirds of the time, and
//! the tests start it thousands of times. A release build stays position-independent.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "Cargo sets variables and reads the output")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "debug") && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
