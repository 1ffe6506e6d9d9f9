//! Sorts the lists of words and writes the rank beside each.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

const LISTS: [&str; 6] = ["passwords", "english", "female_names", "male_names", "surnames", "us_tv_and_film"];

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for list in LISTS {
        let name = format!("{list}.txt");
        let source = Path::new("words").join(&name);
        println!("cargo:rerun-if-changed={}", source.display());
        let words = fs::read_to_string(&source).expect("the list is part of the crate");
        // The rank of a word is the number of its line; where it stands twice, the last one counts.
        let ranks: BTreeMap<&str, usize> = words.lines().zip(1..).collect();
        let sorted: String = ranks.iter().map(|(word, rank)| format!("{word},{rank}\n")).collect();
        fs::write(Path::new(&out).join(name), sorted).expect("OUT_DIR can be written");
    }
}
