# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_nfdhcpd_global_optspecs
    string join \n c/config= d/debug f/foreground v/version h/help
end

function __fish_nfdhcpd_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_nfdhcpd_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_nfdhcpd_using_subcommand
    set -l cmd (__fish_nfdhcpd_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -s c -l config -d 'The configuration file' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -s d -l debug -d 'Log decisions as well: for each tap and reason a few a minute, and how many more there were'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -s f -l foreground -d 'Log to standard error only, not to logdir as well (the daemon always stays in the foreground)'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -s v -l version -d 'Print version'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "bind" -d 'Write the binding of TAP, whole and checked, for hooks; with --wait, wait until the guest is answered as it says'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "check" -d 'Check the configuration and every binding file; exit status 0 if all are good, 1 if a binding is rejected, 2 if the configuration is wrong, or the directory of bindings cannot be read'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "explain" -d 'Explain why the guest of TAP gets an answer, or none, and what it would be answered now'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "replay" -d 'Run a capture through the same decisions as the daemon\'s, without privileges'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "rules" -d 'Print the rules by which netfilter diverts packets to the daemon, with limits for each tap, for this configuration; with --check, say which of them the kernel lacks'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "show" -d 'Show the bindings of a running daemon, and what became of packets; with TAP, all of one tap'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "top" -d 'Watch taps, rates and outcomes of a running daemon as they change'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "trace" -d 'Follow the decisions of a running daemon as it makes them; with TAP, those about one tap'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "unbind" -d 'Remove the binding of TAP, for hooks'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "wait" -d 'Wait until a running daemon answers the guest of a tap, for hooks; exit status 0 when it does'
complete -c nfdhcpd -n "__fish_nfdhcpd_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l mac -d 'MAC: the guest\'s MAC; required' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l hostname -d 'HOSTNAME: the guest\'s name; required' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l indev -d 'INDEV: the bridge that the tap is a port of [default: the tap itself, which the node routes for]' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l ip -d 'IP: the guest\'s address; with a length, SUBNET as well' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l subnet -d 'SUBNET, where --ip has no length [default: the address alone]' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l gateway -d 'GATEWAY: the guest\'s router, which may lie outside the subnet' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l ip6 -d 'IP6: the address that DHCPv6 gives to the guest' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l subnet6 -d 'SUBNET6: prefixes for the guest\'s addresses, with commas between them' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l gateway6 -d 'GATEWAY6: the guest\'s router' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l eui64 -d 'EUI64: the address that the guest makes of its MAC' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l mtu -d 'MTU of the guest\'s interface' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l nameservers -d 'NAMESERVERS, with commas between them, in place of the node\'s' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l tags -d 'TAGS: free text, which is only shown' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l set -d 'Any key of nfdhcpd-binding(5), such as DOMAIN=example.com. May be repeated' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l wait -d 'Wait until the guest is answered, as nfdhcpd wait does, for 2s or for TIME: 5s, 500ms, 1m, or seconds without a unit; at most 5m' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l socket -d 'The socket of the daemon to wait for, in place of the configuration\'s control_socket' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -s c -l config -d 'The configuration file' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l datapath -d 'The directory of binding files, in place of the configuration\'s datapath' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l private -d 'PRIVATE: no default route for the guest'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l macspoof -d 'MACSPOOF: do not check the guest\'s MAC'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -l dry-run -d 'Print the file, and write none'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand bind" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand check" -s c -l config -d 'The configuration file' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand check" -l bindings -d 'The directory of binding files, in place of the configuration\'s datapath' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand check" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand explain" -s c -l config -d 'The configuration file that says where the daemon\'s socket is' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand explain" -l socket -d 'The daemon\'s socket, in place of the configuration\'s control_socket' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand explain" -l json -d 'Print JSON: one object, with the same findings and replies, and all that they were made of'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand explain" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand replay" -l bindings -d 'The directory of binding files' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand replay" -s c -l config -d 'The configuration file [default: everything on, with the guest\'s gateway as DHCP server]' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand replay" -s w -l write -d 'Write the replies to this file, each with the time stamp of what it answers' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand replay" -l tap -d 'The tap that all packets came from [default: the interface that a pcapng file names, else the binding with the frame\'s source MAC]' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand replay" -l indev-mac -d 'The MAC of every INDEV: the guests\' router' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand replay" -l ignore-checksums -d 'Take all checksums for right: where the capture was made, the sender\'s hardware had not yet filled them in'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand replay" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -s c -l config -d 'The configuration file' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l format -d 'What to print' -r -f -a "nft\t'Tables of nft'
iptables\t'A shell script'
ferm\t'A fragment of ferm.conf'"
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l routed -d 'Taps that the node routes for; the default, with tap*, unless --bridged is given. Both may be' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l bridged -d 'Taps that are ports of a bridge [default: tap*]. With iptables and ferm they are matched by physdev, for which bridge-nf-call-iptables and bridge-nf-call-ip6tables must be 1; nft needs neither' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l by-bridge -d 'Match these bridges, as br0, in place of the ports, where the two are 0 (iptables and ferm)' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l bypass -d 'Let packets pass while no daemon has bound the queue: those of KINDS (dhcp, rs, ns, dhcpv6) [default: all]. Others are dropped, as all are without this option' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l limit -d 'Packets per second that one tap may send, of each kind or of KIND (dhcp, rs, ns, dhcpv6). May be repeated [default: 20/second, ns=500/second]' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l burst -d 'Packets that it may send at once before the limit holds. May be repeated [default: twice the limit]' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l trunk -d 'Taps that the guard lets send frames with VLAN tags' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l check -d 'Print no rules, but what of them the kernel lacks or has otherwise, whoever loaded those that it has'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l limits-only -d 'Print the limits alone, for nft, beside rules of your own; with --guard that as well'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l no-limit -d 'No limits: one guest can fill the queues of all'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -l guard -d 'Keep guests from playing server or router: what only those say is dropped, and what could hide it. By nft, which is told of all taps above'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand rules" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand show" -s c -l config -d 'The configuration file that says where the daemon\'s socket is' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand show" -l socket -d 'The daemon\'s socket, in place of the configuration\'s control_socket' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand show" -l json -d 'Print JSON: {"taps": [...], "node": {...}}, the latter without TAP only'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand show" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand top" -s i -l interval -d 'Seconds between two looks at the daemon' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand top" -s c -l config -d 'The configuration file that says where the daemon\'s socket is' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand top" -l socket -d 'The daemon\'s socket, in place of the configuration\'s control_socket' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand top" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand trace" -s c -l config -d 'The configuration file that says where the daemon\'s socket is' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand trace" -l socket -d 'The daemon\'s socket, in place of the configuration\'s control_socket' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand trace" -l json -d 'Print JSON, an object on each line: {"decision": {...}}, {"noticed": {...}}, {"lost": {...}}'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand trace" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand unbind" -s c -l config -d 'The configuration file' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand unbind" -l datapath -d 'The directory of binding files, in place of the configuration\'s datapath' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand unbind" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand wait" -l timeout -d 'How long: 2s, 500ms, 1m, or seconds without a unit; at most 5m' -r
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand wait" -s c -l config -d 'The configuration file that says where the daemon\'s socket is' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand wait" -l socket -d 'The daemon\'s socket, in place of the configuration\'s control_socket' -r -F
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand wait" -s h -l help -d 'Print help'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "bind" -d 'Write the binding of TAP, whole and checked, for hooks; with --wait, wait until the guest is answered as it says'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "check" -d 'Check the configuration and every binding file; exit status 0 if all are good, 1 if a binding is rejected, 2 if the configuration is wrong, or the directory of bindings cannot be read'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "explain" -d 'Explain why the guest of TAP gets an answer, or none, and what it would be answered now'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "replay" -d 'Run a capture through the same decisions as the daemon\'s, without privileges'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "rules" -d 'Print the rules by which netfilter diverts packets to the daemon, with limits for each tap, for this configuration; with --check, say which of them the kernel lacks'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "show" -d 'Show the bindings of a running daemon, and what became of packets; with TAP, all of one tap'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "top" -d 'Watch taps, rates and outcomes of a running daemon as they change'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "trace" -d 'Follow the decisions of a running daemon as it makes them; with TAP, those about one tap'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "unbind" -d 'Remove the binding of TAP, for hooks'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "wait" -d 'Wait until a running daemon answers the guest of a tap, for hooks; exit status 0 when it does'
complete -c nfdhcpd -n "__fish_nfdhcpd_using_subcommand help; and not __fish_seen_subcommand_from bind check explain replay rules show top trace unbind wait help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
