# fish completion for litedesk: litedesk completion fish > ~/.config/fish/completions/litedesk.fish

function __litedesk_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    # "--plan=/etc/h": what is in front of the file's name is put back.
    set -l front (string match -r -- '^--[^=]*=' (commandline -ct))
    set -l name (string replace -r -- '^--[^=]*=' '' (commandline -ct))
    for line in ($program __complete -- $words 2>/dev/null)
        switch $line
            case ':files*'
                for path in (__fish_complete_path "$name")
                    echo "$front$path"
                end
            case ':folders*'
                for path in (__fish_complete_directories "$name" '')
                    echo "$front$path"
                end
            case ':none*'
            case '*'
                echo $line
        end
    end
end

complete -c litedesk -f -a '(__litedesk_complete)'
