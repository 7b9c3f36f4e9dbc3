# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_snf_network_global_optspecs
    string join \n config= n/dry-run h/help V/version
end

function __fish_snf_network_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_snf_network_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_snf_network_using_subcommand
    set -l cmd (__fish_snf_network_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c snf-network -n "__fish_snf_network_needs_command" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_needs_command" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c snf-network -n "__fish_snf_network_needs_command" -s V -l version -d 'Print version'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "ifup" -d 'Set a NIC up, as the environment says. A second time it changes nothing'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "ifdown" -d 'Remove all that is there for a tap'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "vif" -d 'Set a NIC of Xen up or remove it, from the file that Ganeti writes for it'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "hook" -d 'Remove what taps that are gone have left, after an operation of Ganeti\'s'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "dns" -d 'Tell the name server of an instance\'s names, after an operation of Ganeti\'s'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "clean" -d 'Remove what taps that are gone have left: bindings, filters, rules, proxies'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "status" -d 'Show what is set up for every tap, and what is left over'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "mac2eui64" -d 'Print the IPv6 address that a station makes for itself in a prefix of 64 bits'
complete -c snf-network -n "__fish_snf_network_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c snf-network -n "__fish_snf_network_using_subcommand ifup" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_using_subcommand ifup" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_using_subcommand ifup" -s h -l help -d 'Print help'
complete -c snf-network -n "__fish_snf_network_using_subcommand ifdown" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_using_subcommand ifdown" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_using_subcommand ifdown" -s h -l help -d 'Print help'
complete -c snf-network -n "__fish_snf_network_using_subcommand vif" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_using_subcommand vif" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_using_subcommand vif" -s h -l help -d 'Print help'
complete -c snf-network -n "__fish_snf_network_using_subcommand hook" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_using_subcommand hook" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_using_subcommand hook" -s h -l help -d 'Print help'
complete -c snf-network -n "__fish_snf_network_using_subcommand dns" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_using_subcommand dns" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_using_subcommand dns" -s h -l help -d 'Print help'
complete -c snf-network -n "__fish_snf_network_using_subcommand clean" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_using_subcommand clean" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_using_subcommand clean" -s h -l help -d 'Print help'
complete -c snf-network -n "__fish_snf_network_using_subcommand status" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_using_subcommand status" -l json -d 'As JSON'
complete -c snf-network -n "__fish_snf_network_using_subcommand status" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_using_subcommand status" -s h -l help -d 'Print help'
complete -c snf-network -n "__fish_snf_network_using_subcommand mac2eui64" -l config -d 'The settings' -r -F
complete -c snf-network -n "__fish_snf_network_using_subcommand mac2eui64" -s n -l dry-run -d 'Print every change that would be made, in order, and make none'
complete -c snf-network -n "__fish_snf_network_using_subcommand mac2eui64" -s h -l help -d 'Print help'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "ifup" -d 'Set a NIC up, as the environment says. A second time it changes nothing'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "ifdown" -d 'Remove all that is there for a tap'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "vif" -d 'Set a NIC of Xen up or remove it, from the file that Ganeti writes for it'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "hook" -d 'Remove what taps that are gone have left, after an operation of Ganeti\'s'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "dns" -d 'Tell the name server of an instance\'s names, after an operation of Ganeti\'s'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "clean" -d 'Remove what taps that are gone have left: bindings, filters, rules, proxies'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "status" -d 'Show what is set up for every tap, and what is left over'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "mac2eui64" -d 'Print the IPv6 address that a station makes for itself in a prefix of 64 bits'
complete -c snf-network -n "__fish_snf_network_using_subcommand help; and not __fish_seen_subcommand_from ifup ifdown vif hook dns clean status mac2eui64 help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
