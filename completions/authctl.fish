# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_authctl_global_optspecs
    string join \n db= schema= json q/quiet no-input y/yes reason= color= wait= h/help V/version
end

function __fish_authctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_authctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_authctl_using_subcommand
    set -l cmd (__fish_authctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c authctl -n "__fish_authctl_needs_command" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_needs_command" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_needs_command" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_needs_command" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_needs_command" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_needs_command" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_needs_command" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_needs_command" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_needs_command" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_needs_command" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_needs_command" -s V -l version -d 'Print version'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "signup" -d 'Create an account and sign in'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "sign-up" -d 'Create an account and sign in'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "register" -d 'Create an account and sign in'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "signin" -d 'Sign in and keep the session for later commands'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "sign-in" -d 'Sign in and keep the session for later commands'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "login" -d 'Sign in and keep the session for later commands'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "whoami" -d 'Show who is signed in'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "status" -d 'Show who is signed in'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "sessions" -d 'List or end sessions'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "signout" -d 'End the session and forget it'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "sign-out" -d 'End the session and forget it'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "logout" -d 'End the session and forget it'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "password" -d 'Change or reset the password'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "passwd" -d 'Same as `password change`'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "email" -d 'Verify or change your address'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "2fa" -d 'Set up or remove a second factor: codes of an authenticator app'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "account" -d 'Change or delete your own account'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "users" -d 'Administer users, without a sign-in'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "user" -d 'Administer users, without a sign-in'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "audit" -d 'Read the log of what was done, and check that it is whole'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "guard" -d 'Run a command only with a live session'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "hash" -d 'Make, check or identify password hashes'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "policy" -d 'Show or change the rules of this database'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "import" -d 'Import users of another system, with their passwords'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "export" -d 'Export users for another system, or everything about one person'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "db" -d 'Make, check, back up or restore the database'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "doctor" -d 'Find what is wrong, and fix what can be fixed'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c authctl -n "__fish_authctl_needs_command" -f -a "help" -d 'Help on a command or a topic: exit-codes, environment, security'
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l name -d 'Display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l image -d 'Address of a picture, http:// or https://' -r
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l no-signin -d 'Create the account without signing in'
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand signup" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand signup" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand signup" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand signup" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l name -d 'Display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l image -d 'Address of a picture, http:// or https://' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l no-signin -d 'Create the account without signing in'
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sign-up" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand register" -l name -d 'Display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand register" -l image -d 'Address of a picture, http:// or https://' -r
complete -c authctl -n "__fish_authctl_using_subcommand register" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand register" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand register" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand register" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand register" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand register" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand register" -l no-signin -d 'Create the account without signing in'
complete -c authctl -n "__fish_authctl_using_subcommand register" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand register" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand register" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand register" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand register" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand register" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l for -d 'End the session after this time, however much it is used; at most the policy\'s session.short-lifetime' -r
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l otp-file -d 'Read a code of the second factor from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l no-remember -d 'End the session after one day, however much it is used'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l print-token -d 'Print the session token instead of storing it'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l no-store -d 'Check the password and keep nothing: no session, no file'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l otp-stdin -d 'Read a code of the second factor from standard input, in a line after the password if that is read there too'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand signin" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l for -d 'End the session after this time, however much it is used; at most the policy\'s session.short-lifetime' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l otp-file -d 'Read a code of the second factor from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l no-remember -d 'End the session after one day, however much it is used'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l print-token -d 'Print the session token instead of storing it'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l no-store -d 'Check the password and keep nothing: no session, no file'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l otp-stdin -d 'Read a code of the second factor from standard input, in a line after the password if that is read there too'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sign-in" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand login" -l for -d 'End the session after this time, however much it is used; at most the policy\'s session.short-lifetime' -r
complete -c authctl -n "__fish_authctl_using_subcommand login" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand login" -l otp-file -d 'Read a code of the second factor from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand login" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand login" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand login" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand login" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand login" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand login" -l no-remember -d 'End the session after one day, however much it is used'
complete -c authctl -n "__fish_authctl_using_subcommand login" -l print-token -d 'Print the session token instead of storing it'
complete -c authctl -n "__fish_authctl_using_subcommand login" -l no-store -d 'Check the password and keep nothing: no session, no file'
complete -c authctl -n "__fish_authctl_using_subcommand login" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand login" -l otp-stdin -d 'Read a code of the second factor from standard input, in a line after the password if that is read there too'
complete -c authctl -n "__fish_authctl_using_subcommand login" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand login" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand login" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand login" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand login" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l format -d 'Print one line in this form: {id}, {email}, {name}, {role}, {session}, {expires}, {database} and {db}, its name' -r
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l check -d 'Print nothing; the exit code is the answer (0 signed in, 4 not)'
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand whoami" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand status" -l format -d 'Print one line in this form: {id}, {email}, {name}, {role}, {session}, {expires}, {database} and {db}, its name' -r
complete -c authctl -n "__fish_authctl_using_subcommand status" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand status" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand status" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand status" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand status" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand status" -l check -d 'Print nothing; the exit code is the answer (0 signed in, 4 not)'
complete -c authctl -n "__fish_authctl_using_subcommand status" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand status" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand status" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand status" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand status" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -f -a "list" -d 'List live sessions: yours, with the current one marked, or those of others'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -f -a "ls" -d 'List live sessions: yours, with the current one marked, or those of others'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -f -a "revoke" -d 'End sessions: yours, or those of others'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -f -a "prune" -d 'Delete the rows of expired sessions, of all users'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and not __fish_seen_subcommand_from list ls revoke prune issue" -f -a "issue" -d 'Make a session for a user without a sign-in, and print its token'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l user -d 'Sessions of this user, by email address or id' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l limit -d 'At most this many sessions [default: 200 on a terminal, else all]' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l after -d 'Begin where the page before ended: at its `next`' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l all-users -d 'Sessions of all users'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l user -d 'Sessions of this user, by email address or id' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l limit -d 'At most this many sessions [default: 200 on a terminal, else all]' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l after -d 'Begin where the page before ended: at its `next`' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l all-users -d 'Sessions of all users'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l user -d 'Sessions of this user, by email address or id' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l older-than -d 'Only sessions signed in at least this long ago, such as 30d' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l idle -d 'Only sessions not moved forward for at least this long, such as 7d' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l ip -d 'Only sessions from this address or network, such as 10.0.0.0/8' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l user-agent -d 'Only sessions from programs that match, such as \'curl*\'' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l others -d 'End every session of yours but the current one'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l all -d 'End every session of yours and sign out; with --all-users, every session of every user'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l all-users -d 'Sessions of all users'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l except-current -d 'Not the current session'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l dry-run -d 'Say what would end, and end nothing'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -l dry-run -d 'Say how many would be deleted, and delete nothing'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l user -d 'Whose, by email address or id' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l for -d 'How long, from 1m to 400d [default: as after a sign-in]' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l cookie -d 'Print the cookie of a Better Auth app, signed with the secret in BETTER_AUTH_SECRET'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l secure -d 'Name the cookie as an app does that is reached by https, with __Secure- before it'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l force -d 'Even for an administrator'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sessions; and __fish_seen_subcommand_from issue" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l all -d 'End all sessions of the user, on every machine'
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l local -d 'Only forget the stored session; needs no database and leaves the session alive there'
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand signout" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand signout" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand signout" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand signout" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l all -d 'End all sessions of the user, on every machine'
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l local -d 'Only forget the stored session; needs no database and leaves the session alive there'
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand sign-out" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l all -d 'End all sessions of the user, on every machine'
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l local -d 'Only forget the stored session; needs no database and leaves the session alive there'
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand logout" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand logout" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand logout" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand logout" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -f -a "change" -d 'Change your password; your other sessions end'
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -f -a "forgot" -d 'Have a code mailed with which you can set a new password'
complete -c authctl -n "__fish_authctl_using_subcommand password; and not __fish_seen_subcommand_from change forgot reset" -f -a "reset" -d 'Set a new password with a code that was mailed or handed out; all sessions end'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l keep-sessions -d 'Leave your other sessions alive'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from change" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from forgot" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l code-stdin -d 'Read the code from standard input, in a line before the password'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand password; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l keep-sessions -d 'Leave your other sessions alive'
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand passwd" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -f -a "verify" -d 'Verify an address, or finish changing it, with a code that was mailed to it; other sessions end'
complete -c authctl -n "__fish_authctl_using_subcommand email; and not __fish_seen_subcommand_from verify change" -f -a "change" -d 'Have a code mailed to a new address; `email verify` takes it, and only then the address changes'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l otp-file -d 'Read a code of the second factor from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l send -d 'Have a code mailed instead of typing one'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l code-stdin -d 'Read the code from standard input, in a line before the password if that is read there too'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l otp-stdin -d 'Read a code of the second factor from standard input, in a line after the password if that is read there too'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand email; and __fish_seen_subcommand_from change" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -f -a "status" -d 'Say whether your second factor is on, and how many recovery codes are left'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -f -a "enable" -d 'Set up an authenticator app; from then on a sign-in needs a code of it'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -f -a "disable" -d 'Turn your second factor off; your other sessions end'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and not __fish_seen_subcommand_from status enable disable recovery-codes" -f -a "recovery-codes" -d 'Make new recovery codes; the old ones become invalid'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l otp-file -d 'Read a code of the second factor from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l otp-stdin -d 'Read a code of the second factor from standard input, in a line after the password if that is read there too'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from enable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l otp-file -d 'Read a code of the second factor from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l otp-stdin -d 'Read a code of the second factor from standard input, in a line after the password if that is read there too'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from disable" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l otp-file -d 'Read a code of the second factor from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l otp-stdin -d 'Read a code of the second factor from standard input, in a line after the password if that is read there too'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand 2fa; and __fish_seen_subcommand_from recovery-codes" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -f -a "update" -d 'Change your name or picture'
complete -c authctl -n "__fish_authctl_using_subcommand account; and not __fish_seen_subcommand_from update delete" -f -a "delete" -d 'Delete your account, with its sessions'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l name -d 'New display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l image -d 'New address of a picture, http:// or https://; empty to remove it' -r
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -l force-last-admin -d 'Delete even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand account; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "list" -d 'List users, a page at a time'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "ls" -d 'List users, a page at a time'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "show" -d 'Show a user: roles, ways to sign in, live sessions, failed attempts'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "explain" -d 'Say why a user cannot sign in, and how to fix it; exit code 0 when nothing is in the way, 1 otherwise'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "exists" -d 'Say whether a user exists; exit code 0 when yes, 3 when no'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "create" -d 'Create a user'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "add" -d 'Create a user'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "update" -d 'Change a user\'s name, picture or address'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "delete" -d 'Delete a user, with accounts, sessions and all rows of plugins that name the user'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "rm" -d 'Delete a user, with accounts, sessions and all rows of plugins that name the user'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "set-password" -d 'Set a user\'s password; all sessions of the user end'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "reset-code" -d 'Make a code with which a user can set a new password; hand it over in person'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "set-role" -d 'Set a user\'s roles; losing one ends the sessions'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "verify-email" -d 'Say that a user\'s address is verified'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "ban" -d 'Refuse a user\'s sign-in and end all sessions; the user sees the --reason'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "unban" -d 'Lift a ban'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "unlock" -d 'Forget a user\'s failed attempts to sign in, and lift the lock of the second factor'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "lockdown" -d 'End all access to a user\'s account: sessions, tokens, keys, codes, trusted devices'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "reset-2fa" -d 'Remove the second factor of a user who lost it; all sessions of the user end'
complete -c authctl -n "__fish_authctl_using_subcommand users; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "impersonate" -d 'Act as a user for a while, in a session that says so and does nothing that cannot be undone'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l search -d 'Only users with this in their address or name' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l role -d 'Only users with this role' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l sort -d 'Order of the list' -r -f -a "email\t'By address'
name\t'By name'
created\t'The oldest first'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l limit -d 'Users on a page' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l after -d 'Begin after this user: the `next` of the page before' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l banned -d 'Only banned users'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l unverified -d 'Only users whose address is not verified'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l count -d 'Count the users on all pages as well'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l search -d 'Only users with this in their address or name' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l role -d 'Only users with this role' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l sort -d 'Order of the list' -r -f -a "email\t'By address'
name\t'By name'
created\t'The oldest first'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l limit -d 'Users on a page' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l after -d 'Begin after this user: the `next` of the page before' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l banned -d 'Only banned users'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l unverified -d 'Only users whose address is not verified'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l count -d 'Count the users on all pages as well'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -l at -d 'At this instant, such as 2026-01-01T00:00:00Z [default: now]' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l name -d 'Display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l image -d 'Address of a picture, http:// or https://' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l role -d 'Roles, separated by commas' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l force -d 'Take even a role that differs from admin in case only'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l verified -d 'Say that the address is verified'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l if-missing -d 'Succeed and change nothing when the user exists as asked; fail when the user differs'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l no-password -d 'Create the user without a password'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l generate -d 'Make a random password and print it'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l hash-stdin -d 'Read a password hash from standard input, in the text of the system that made it'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l allow-weak -d 'Take a password that is easy to guess'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l name -d 'Display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l image -d 'Address of a picture, http:// or https://' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l role -d 'Roles, separated by commas' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l force -d 'Take even a role that differs from admin in case only'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l verified -d 'Say that the address is verified'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l if-missing -d 'Succeed and change nothing when the user exists as asked; fail when the user differs'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l no-password -d 'Create the user without a password'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l generate -d 'Make a random password and print it'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l hash-stdin -d 'Read a password hash from standard input, in the text of the system that made it'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l allow-weak -d 'Take a password that is easy to guess'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l name -d 'New display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l image -d 'New address of a picture, http:// or https://; empty to remove it' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l email -d 'New email address; it is not verified then' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l new-owner -d 'Give another user, by address or id, the organizations without another owner and the OAuth clients and SSO providers that others use' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l if-exists -d 'Succeed when there is no such user'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l dry-run -d 'Delete nothing, and say what would go'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l force-shared -d 'Delete OAuth clients and SSO providers of the user although others use them'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l force-last-admin -d 'Delete even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l new-owner -d 'Give another user, by address or id, the organizations without another owner and the OAuth clients and SSO providers that others use' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l if-exists -d 'Succeed when there is no such user'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l dry-run -d 'Delete nothing, and say what would go'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l force-shared -d 'Delete OAuth clients and SSO providers of the user although others use them'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l force-last-admin -d 'Delete even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l keep-sessions -d 'Leave the user\'s sessions alive'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l generate -d 'Make a random password and print it'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l hash-stdin -d 'Read a password hash from standard input, in the text of the system that made it'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l allow-weak -d 'Take a password that is easy to guess'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-password" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -l ttl -d 'How long the code counts, up to 24h' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-code" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l force -d 'Set even a role that differs from admin in case only'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l keep-sessions -d 'Leave the user\'s sessions alive'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l force-last-admin -d 'Demote even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from set-role" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -l undo -d 'Say that it is not verified'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from verify-email" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l for -d 'How long, such as 7d [default: permanently]' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l force-last-admin -d 'Ban even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from ban" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unban" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from unlock" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l ttl -d 'How long the code counts, up to 24h' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l ban -d 'Ban the user too, permanently; the user sees the --reason'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l reset-code -d 'Make a code with which the user sets a new password, and print it'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l force-last-admin -d 'Ban even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l dry-run -d 'Say what would end, and end nothing'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from lockdown" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -l dry-run -d 'Say what would be removed, and remove nothing'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from reset-2fa" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l for -d 'How long, from 1m to 24h; use does not prolong it' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l stop -d 'Stop acting as a user, and take back your own session if it is still valid'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l force -d 'Act even as an administrator'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l print-token -d 'Print the session token instead of storing it; your own session stays'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand users; and __fish_seen_subcommand_from impersonate" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "list" -d 'List users, a page at a time'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "ls" -d 'List users, a page at a time'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "show" -d 'Show a user: roles, ways to sign in, live sessions, failed attempts'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "explain" -d 'Say why a user cannot sign in, and how to fix it; exit code 0 when nothing is in the way, 1 otherwise'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "exists" -d 'Say whether a user exists; exit code 0 when yes, 3 when no'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "create" -d 'Create a user'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "add" -d 'Create a user'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "update" -d 'Change a user\'s name, picture or address'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "delete" -d 'Delete a user, with accounts, sessions and all rows of plugins that name the user'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "rm" -d 'Delete a user, with accounts, sessions and all rows of plugins that name the user'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "set-password" -d 'Set a user\'s password; all sessions of the user end'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "reset-code" -d 'Make a code with which a user can set a new password; hand it over in person'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "set-role" -d 'Set a user\'s roles; losing one ends the sessions'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "verify-email" -d 'Say that a user\'s address is verified'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "ban" -d 'Refuse a user\'s sign-in and end all sessions; the user sees the --reason'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "unban" -d 'Lift a ban'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "unlock" -d 'Forget a user\'s failed attempts to sign in, and lift the lock of the second factor'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "lockdown" -d 'End all access to a user\'s account: sessions, tokens, keys, codes, trusted devices'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "reset-2fa" -d 'Remove the second factor of a user who lost it; all sessions of the user end'
complete -c authctl -n "__fish_authctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show explain exists create add update delete rm set-password reset-code set-role verify-email ban unban unlock lockdown reset-2fa impersonate" -f -a "impersonate" -d 'Act as a user for a while, in a session that says so and does nothing that cannot be undone'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l search -d 'Only users with this in their address or name' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l role -d 'Only users with this role' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l sort -d 'Order of the list' -r -f -a "email\t'By address'
name\t'By name'
created\t'The oldest first'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l limit -d 'Users on a page' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l after -d 'Begin after this user: the `next` of the page before' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l banned -d 'Only banned users'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l unverified -d 'Only users whose address is not verified'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l count -d 'Count the users on all pages as well'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l search -d 'Only users with this in their address or name' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l role -d 'Only users with this role' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l sort -d 'Order of the list' -r -f -a "email\t'By address'
name\t'By name'
created\t'The oldest first'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l limit -d 'Users on a page' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l after -d 'Begin after this user: the `next` of the page before' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l banned -d 'Only banned users'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l unverified -d 'Only users whose address is not verified'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l count -d 'Count the users on all pages as well'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -l at -d 'At this instant, such as 2026-01-01T00:00:00Z [default: now]' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l name -d 'Display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l image -d 'Address of a picture, http:// or https://' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l role -d 'Roles, separated by commas' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l force -d 'Take even a role that differs from admin in case only'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l verified -d 'Say that the address is verified'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l if-missing -d 'Succeed and change nothing when the user exists as asked; fail when the user differs'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l no-password -d 'Create the user without a password'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l generate -d 'Make a random password and print it'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l hash-stdin -d 'Read a password hash from standard input, in the text of the system that made it'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l allow-weak -d 'Take a password that is easy to guess'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l name -d 'Display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l image -d 'Address of a picture, http:// or https://' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l role -d 'Roles, separated by commas' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l force -d 'Take even a role that differs from admin in case only'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l verified -d 'Say that the address is verified'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l if-missing -d 'Succeed and change nothing when the user exists as asked; fail when the user differs'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l no-password -d 'Create the user without a password'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l generate -d 'Make a random password and print it'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l hash-stdin -d 'Read a password hash from standard input, in the text of the system that made it'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l allow-weak -d 'Take a password that is easy to guess'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l name -d 'New display name' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l image -d 'New address of a picture, http:// or https://; empty to remove it' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l email -d 'New email address; it is not verified then' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l new-owner -d 'Give another user, by address or id, the organizations without another owner and the OAuth clients and SSO providers that others use' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l if-exists -d 'Succeed when there is no such user'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l dry-run -d 'Delete nothing, and say what would go'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l force-shared -d 'Delete OAuth clients and SSO providers of the user although others use them'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l force-last-admin -d 'Delete even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l new-owner -d 'Give another user, by address or id, the organizations without another owner and the OAuth clients and SSO providers that others use' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l if-exists -d 'Succeed when there is no such user'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l dry-run -d 'Delete nothing, and say what would go'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l force-shared -d 'Delete OAuth clients and SSO providers of the user although others use them'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l force-last-admin -d 'Delete even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l keep-sessions -d 'Leave the user\'s sessions alive'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l generate -d 'Make a random password and print it'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l hash-stdin -d 'Read a password hash from standard input, in the text of the system that made it'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l allow-weak -d 'Take a password that is easy to guess'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-password" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -l ttl -d 'How long the code counts, up to 24h' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-code" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l force -d 'Set even a role that differs from admin in case only'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l keep-sessions -d 'Leave the user\'s sessions alive'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l force-last-admin -d 'Demote even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -l undo -d 'Say that it is not verified'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from verify-email" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l for -d 'How long, such as 7d [default: permanently]' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l force-last-admin -d 'Ban even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from ban" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unban" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from unlock" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l ttl -d 'How long the code counts, up to 24h' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l ban -d 'Ban the user too, permanently; the user sees the --reason'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l reset-code -d 'Make a code with which the user sets a new password, and print it'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l force-last-admin -d 'Ban even the last administrator'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l dry-run -d 'Say what would end, and end nothing'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from lockdown" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -l dry-run -d 'Say what would be removed, and remove nothing'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from reset-2fa" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l for -d 'How long, from 1m to 24h; use does not prolong it' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l stop -d 'Stop acting as a user, and take back your own session if it is still valid'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l force -d 'Act even as an administrator'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l print-token -d 'Print the session token instead of storing it; your own session stays'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand user; and __fish_seen_subcommand_from impersonate" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -f -a "list" -d 'List what was done, the oldest first'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -f -a "ls" -d 'List what was done, the oldest first'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -f -a "tail" -d 'Show the newest entries'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -f -a "verify" -d 'Look for entries that were edited, removed or moved'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and not __fish_seen_subcommand_from list ls tail verify export" -f -a "export" -d 'Print entries as JSON, one per line'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l user -d 'About or by this user, by email address or id, also of a user who was deleted' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l event -d 'Whose event begins with this, such as session or signin.failed' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l since -d 'From this instant on, such as 2026-01-01T00:00:00Z' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l until -d 'Before this instant' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l after -d 'After the entry with this number, where the page before ended' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l limit -d 'At most this many entries [default: 200 on a terminal, else all]' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l user -d 'About or by this user, by email address or id, also of a user who was deleted' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l event -d 'Whose event begins with this, such as session or signin.failed' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l since -d 'From this instant on, such as 2026-01-01T00:00:00Z' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l until -d 'Before this instant' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l after -d 'After the entry with this number, where the page before ended' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l limit -d 'At most this many entries [default: 200 on a terminal, else all]' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -s n -l lines -d 'How many entries' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -s f -l follow -d 'Go on as entries come, until interrupted'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from tail" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l contains -d 'Also require an entry with this hash, which `verify` printed before' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l user -d 'About or by this user, by email address or id, also of a user who was deleted' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l event -d 'Whose event begins with this, such as session or signin.failed' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l since -d 'From this instant on, such as 2026-01-01T00:00:00Z' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l until -d 'Before this instant' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l after -d 'After the entry with this number, where the page before ended' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l limit -d 'At most this many entries [default: 200 on a terminal, else all]' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand audit; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l role -d 'Require this role' -r
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l fresh -d 'Require a recent sign-in'
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l signin -d 'Sign in first when needed, if authctl can ask'
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l drop-session -d 'Leave the command no session: an authctl inside is not signed in'
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand guard" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand guard" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand guard" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand guard" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -f -a "generate" -d 'Print the argon2id hash of a password'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -f -a "verify" -d 'Compare a password with a hash; exit code 0 when it is right, 1 when not'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -f -a "identify" -d 'Say what kind of hash standard input holds, and whether a sign-in would accept it'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and not __fish_seen_subcommand_from generate verify identify calibrate" -f -a "calibrate" -d 'Find the cost that takes the wished time on this machine'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l password-file -d 'Read the password from a file' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l password-stdin -d 'Read the password from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from generate" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -l stdin -d 'Read the hash and the password from standard input, one per line'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from identify" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l target -d 'How long one hash may take' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l max-memory -d 'How much memory one hash may take, in KiB, MiB or GiB' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand hash; and __fish_seen_subcommand_from calibrate" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -f -a "show" -d 'List every rule with its value; those that differ from the default are marked'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -f -a "set" -d 'Set a rule'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and not __fish_seen_subcommand_from show set unset" -f -a "unset" -d 'Set a rule back to its default'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand policy; and __fish_seen_subcommand_from unset" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand import" -l format -d 'Say what the first file is, such as clerk or keycloak' -r
complete -c authctl -n "__fish_authctl_using_subcommand import" -l report -d 'Write what becomes of each row to a file, as JSON lines' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand import" -l on-conflict -d 'What to do when a user is there already: fail, skip the user, or update the one with the same id' -r -f -a "fail\t''
skip\t''
update\t''"
complete -c authctl -n "__fish_authctl_using_subcommand import" -l weak-hashes -d 'Take users whose hash is cheap to guess: hash it again, or drop it' -r -f -a "wrap\t''
drop\t''"
complete -c authctl -n "__fish_authctl_using_subcommand import" -l unusable-hashes -d 'Take users whose hash cannot be used without a password' -r -f -a "drop\t''"
complete -c authctl -n "__fish_authctl_using_subcommand import" -l hash-config -d 'Firebase\'s password hash parameters' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand import" -l pepper-file -d 'The pepper that bcrypt hashes were made with, on one line' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand import" -l try -d 'First prove that the password of this user verifies' -r
complete -c authctl -n "__fish_authctl_using_subcommand import" -l map-role -d 'Give users with a role of the other system a role here' -r
complete -c authctl -n "__fish_authctl_using_subcommand import" -l email-domain -d 'Make addresses for users who have a name only' -r
complete -c authctl -n "__fish_authctl_using_subcommand import" -l second-factor -d 'Take users with a second factor without it' -r -f -a "drop\t''"
complete -c authctl -n "__fish_authctl_using_subcommand import" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand import" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand import" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand import" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand import" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand import" -l dry-run -d 'Check everything, say what would be imported, and write nothing'
complete -c authctl -n "__fish_authctl_using_subcommand import" -l skip-invalid -d 'Import the rows that can be imported, and report the others'
complete -c authctl -n "__fish_authctl_using_subcommand import" -l password-stdin -d 'Read the password of --try from standard input'
complete -c authctl -n "__fish_authctl_using_subcommand import" -l placeholder-email -d 'Give users without an address one that receives no mail'
complete -c authctl -n "__fish_authctl_using_subcommand import" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand import" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand import" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand import" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand import" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand export" -l format -d 'What is to read the export: authctl, csv, better-auth, auth0, clerk, keycloak or supabase' -r -f -a "authctl\t''
csv\t''
better-auth\t''
auth0\t''
clerk\t''
keycloak\t''
supabase\t''"
complete -c authctl -n "__fish_authctl_using_subcommand export" -l output -d 'Write to a new file that only you can read, and not to standard output' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand export" -l user -d 'Write everything about one user, by email address or id' -r
complete -c authctl -n "__fish_authctl_using_subcommand export" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand export" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand export" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand export" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand export" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand export" -l with-hashes -d 'Write password hashes too'
complete -c authctl -n "__fish_authctl_using_subcommand export" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand export" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand export" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand export" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand export" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "init" -d 'Make an empty database'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "list" -d 'List the databases that the configuration file names, without opening them'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "status" -d 'Describe the database'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "migrate" -d 'Bring the schema to the newest version'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "check" -d 'Look whether the file is whole, its schema authctl\'s, its audit log unbroken and its rows consistent'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "prune" -d 'Delete all rows that have expired: sessions, codes, tokens, device codes, API keys'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "backup" -d 'Copy the database to a new file, consistently, while others use it'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "copy" -d 'Copy a database of authctl\'s own to a new place: to PostgreSQL, or back to a file'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "restore" -d 'Replace the database by a backup, also while others use it'
complete -c authctl -n "__fish_authctl_using_subcommand db; and not __fish_seen_subcommand_from init list status migrate check prune backup copy restore convert" -f -a "convert" -d 'Turn a database of authctl\'s own into one that a Better Auth app uses'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l better-auth -d 'Make the tables of a Better Auth app instead, as the app\'s adapter has them' -r -f -a "drizzle\t'The Drizzle adapter; --names and --time say what the app\'s schema has'
kysely\t'Better Auth\'s built-in adapter: what `auth migrate` makes'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l names -d 'How the app\'s Drizzle schema spells columns; `snake_case` unless given' -r -f -a "snake_case\t'`email_verified`, as `auth generate` writes it'
camelCase\t'`emailVerified`, as in a schema written by hand'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l time -d 'The unit of times in the app\'s Drizzle schema; milliseconds unless given' -r -f -a "seconds\t'`mode: "timestamp"`'
milliseconds\t'`mode: "timestamp_ms"`'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l if-missing -d 'Succeed when the database is there already; fail when it is not the kind asked for'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l state -d 'Make authctl\'s own tables in the PostgreSQL database of an app: audit log, throttle and policy'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -l full -d 'Also look up every row in every index, which takes long for millions of rows'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l invitations -d 'Delete expired invitations to organizations too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l dry-run -d 'Say how many rows would be deleted, and delete nothing'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -l keep -d 'Keep this many backups in the directory, and remove the oldest others' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -l dry-run -d 'Say what would be copied, and copy nothing'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from copy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l keep-sessions -d 'Keep the sessions of the backup'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l dry-run -d 'Check the backup and say what would happen'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l to -d 'Whose database it becomes' -r -f -a "better-auth\t'An app that uses Better Auth'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l adapter -d 'The database adapter of the app' -r -f -a "drizzle\t'The Drizzle adapter; --names and --time say what the app\'s schema has'
kysely\t'Better Auth\'s built-in adapter: what `auth migrate` makes'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l names -d 'How the app\'s Drizzle schema spells columns; `camelCase` unless given' -r -f -a "snake_case\t'`email_verified`, as `auth generate` writes it'
camelCase\t'`emailVerified`, as in a schema written by hand'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l time -d 'The unit of times in the app\'s Drizzle schema; unless given, seconds with camelCase and milliseconds with `snake_case`' -r -f -a "seconds\t'`mode: "timestamp"`'
milliseconds\t'`mode: "timestamp_ms"`'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l reset-codes -d 'Make a code for each user who needs a new password and is not banned, and write all to a new file, a JSON document per line' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l ttl -d 'How long the codes count, up to 24h' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l dry-run -d 'Say what would happen, and change nothing'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand db; and __fish_seen_subcommand_from convert" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l fix -d 'Fix the problems that have only one possible fix'
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l full -d 'Also look up every row in every index, which takes long for millions of rows'
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand completions" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand completions" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand completions" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand completions" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand completions" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand completions" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand completions" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand completions" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand completions" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c authctl -n "__fish_authctl_using_subcommand help" -l db -d 'Database file [default: AUTHCTL_DB, else authctl/auth.db in the XDG data directory]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand help" -l schema -d 'What a Better Auth app\'s database does not show of its schema [default: AUTHCTL_SCHEMA]' -r -F
complete -c authctl -n "__fish_authctl_using_subcommand help" -l reason -d 'Why this is done, for the audit log' -r
complete -c authctl -n "__fish_authctl_using_subcommand help" -l color -d 'Colour the output: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set or `TERM` is dumb'
always\t'Always'
never\t'Never'"
complete -c authctl -n "__fish_authctl_using_subcommand help" -l wait -d 'Wait this long for a busy database, such as 500ms, 5s or 1m' -r
complete -c authctl -n "__fish_authctl_using_subcommand help" -l json -d 'Answer with one JSON document; errors too'
complete -c authctl -n "__fish_authctl_using_subcommand help" -s q -l quiet -d 'Print no confirmations on standard error'
complete -c authctl -n "__fish_authctl_using_subcommand help" -l no-input -d 'Never ask; fail instead and name the missing flag'
complete -c authctl -n "__fish_authctl_using_subcommand help" -s y -l yes -d 'Answer yes to confirmations'
complete -c authctl -n "__fish_authctl_using_subcommand help" -s h -l help -d 'Print help'
