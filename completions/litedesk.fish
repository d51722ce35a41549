# fish completion for litedesk: litedesk completion fish > ~/.config/fish/completions/litedesk.fish

function __litedesk_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    for line in ($program __complete -- $words 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path (commandline -ct)
            case ':folders*'
                __fish_complete_directories (commandline -ct) ''
            case ':none*'
            case '*'
                echo $line
        end
    end
end

complete -c litedesk -f -a '(__litedesk_complete)'
