# Completion of authctl in fish. authctl itself knows the candidates, also those of the database.
function __authctl_complete
    set -l words (commandline -opc)
    # After `guard --` come a program and its arguments.
    if contains -- guard $words; and set -l dashes (contains -i -- -- $words)
        set -l rest $words[(math $dashes + 1)..-1]
        if test $dashes = (count $words)
            set rest
        end
        complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))
        return
    end
    $words[1] --internal-complete fish -- $words (commandline -ct) 2> /dev/null
end
complete --command authctl --no-files --keep-order --arguments '(__authctl_complete)'
