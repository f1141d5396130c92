# rrcli for fish: rrcli completion fish > ~/.config/fish/completions/rrcli.fish
function _rrcli_completion
    for found in (COMP_WORDS=(commandline -cp | string collect) COMP_CWORD=(commandline -ct | string collect) \
            _RRCLI_COMPLETE=fish_complete rrcli 2>/dev/null)
        set -l kind (string split -m 1 , -- $found)
        switch $kind[1]
            case dir
                __fish_complete_directories $kind[2]
            case file
                __fish_complete_path $kind[2]
            case plain
                echo $kind[2]
        end
    end
end
complete --no-files --command rrcli --arguments '(_rrcli_completion)'
