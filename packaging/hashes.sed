# Takes out of a mangled name what another build may change: the hash of a function, and that of a crate.
s/17h[0-9a-f]\{16\}E.*$//
s/Cs[0-9A-Za-z]*_/C/g
