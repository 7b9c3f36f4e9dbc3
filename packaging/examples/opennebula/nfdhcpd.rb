# Bindings of an OpenNebula machine: what `pre`, `post` and `clean` have in common.
#
# OpenNebula gives the machine on standard input, as XML in base64. NICs are ours whose VN_MAD is the name of the
# directory that these files are in. A NIC's tap is its TARGET, one-<machine>-<nic> where it has none.

require 'ipaddr'
require 'rexml/document'
require 'tempfile'

# A driver for networks with nfdhcpd.
module Nfdhcpd
    BINDINGS = ENV.fetch('NFDHCPD_STATE_DIR', '/var/lib/nfdhcpd')
    DRIVER = File.basename(__dir__)

    # What is wrong with the machine's NICs.
    class Refused < StandardError
    end

    # Runs an action on the machine of standard input.
    def self.main
        yield Machine.new($stdin.read.strip.unpack1('m0').force_encoding('UTF-8'))
    rescue Refused, ArgumentError, REXML::ParseException, SystemCallError => e
        warn "nfdhcpd: #{e.message.lines.first}"
        exit 1
    end

    # A machine, with those of its NICs that this driver has.
    class Machine
        def initialize(xml)
            @root = REXML::Document.new(xml).root or raise Refused, 'no machine on standard input'
            @id = @root.elements['ID']&.text.to_s
            raise Refused, "ID: #{@id.inspect} is no number" unless @id.match?(/\A\d+\z/)

            @nics = nics
        end

        # The text of every binding, by tap.
        def bindings
            @nics.to_h { |nic| [nic.tap_name, nic.owner + nic.binding(hostname)] }
        end

        def publish
            bindings.each { |tap, text| Files.write(tap, text) }
        end

        # By the first line rather than by TARGET, which is the user's: nobody else's binding goes.
        def withdraw
            return Files.remove { |line| line.start_with?("# opennebula #{@id} ") } unless attached?

            owners = @nics.map(&:owner)
            Files.remove { |line| owners.include?(line) }
        end

        private

        # While a NIC comes or goes, only that one counts.
        def nics
            filter = attached? ? "[ATTACH='YES']" : ''
            REXML::XPath.match(@root, "TEMPLATE/NIC[VN_MAD='#{DRIVER}']#{filter}").map { |xml| Nic.new(@id, xml) }
        end

        def attached?
            !REXML::XPath.first(@root, "TEMPLATE/*[ATTACH='YES'][VN_MAD]").nil?
        end

        # OpenNebula does not say the machine's name here. What the user wants it to call itself, if a host may.
        def hostname
            wanted = REXML::XPath.first(@root, 'TEMPLATE/CONTEXT/SET_HOSTNAME')&.text.to_s
            Check.hostname?(wanted) ? wanted : "one-#{@id}"
        end
    end

    # A NIC, and what it is to be told.
    class Nic
        def initialize(machine, xml)
            @machine = machine
            @attributes = xml.elements.to_h { |element| [element.name, element.text.to_s] }
            @id = required('NIC_ID') { |id| id.match?(/\A\d+\z/) }
        end

        def tap_name
            optional('TARGET') { |name| Check.interface?(name) } || "one-#{@machine}-#{@id}"
        end

        # The first line of a binding, a comment.
        def owner
            "# opennebula #{@machine} #{@id}\n"
        end

        def binding(hostname)
            keys = { 'INDEV' => required('BRIDGE') { |name| Check.interface?(name) },
                     'MAC' => required('MAC') { |mac| mac.match?(/\A\h{2}(:\h{2}){5}\z/) },
                     'HOSTNAME' => hostname,
                     'MTU' => optional('MTU') { |mtu| mtu.match?(/\A\d{2,5}\z/) } }
            keys.merge(ipv4, ipv6).compact.map { |key, value| "#{key}=#{value}\n" }.join
        end

        private

        def ipv4
            return {} unless (address = ipv4_address('IP'))

            { 'IP' => address, 'SUBNET' => subnet(address), 'GATEWAY' => ipv4_address('GATEWAY') }
        end

        # Without NETWORK_MASK (see INHERIT_VNET_ATTR) the address is a network of its own.
        def subnet(address)
            mask = optional('NETWORK_MASK') { |text| text.match?(/\A[\d.]+\z/) && IPAddr.new("0.0.0.0/#{text}") }
            return unless mask

            network = IPAddr.new("#{address}/#{mask}")
            "#{network}/#{network.prefix}"
        end

        # IP6 is an address as it is; IP6_GLOBAL, or else IP6_ULA, a /64 and what the guest makes of its MAC.
        def ipv6
            gateway = { 'GATEWAY6' => ipv6_address('GATEWAY6') }
            if (address = ipv6_address('IP6'))
                length = required('PREFIX_LENGTH') { |text| text.match?(/\A\d{1,3}\z/) && text.to_i.between?(1, 128) }
                gateway.merge('IP6' => address, 'SUBNET6' => network6(address, length))
            elsif (address = ipv6_address('IP6_GLOBAL') || ipv6_address('IP6_ULA'))
                gateway.merge('EUI64' => address, 'SUBNET6' => network6(address, 64))
            else
                {}
            end
        end

        def network6(address, length)
            "#{IPAddr.new(address).mask(length.to_i)}/#{length}"
        end

        def ipv4_address(name)
            optional(name) { |text| text.match?(/\A[\d.]+\z/) && IPAddr.new(text).ipv4? }
        end

        # Without a zone (fe80::1%eth0), which is good for this host only.
        def ipv6_address(name)
            optional(name) { |text| text.match?(/\A[\h:.]+\z/) && IPAddr.new(text).ipv6? }
        end

        def required(name, &is_good)
            optional(name, &is_good) or raise Refused, "NIC #{@id}: #{name} is missing"
        end

        def optional(name)
            value = @attributes[name].to_s
            return if value.empty?
            return value if yield(value)

            raise Refused, "NIC #{@id}: #{name}=#{value.inspect} is not what it should be"
        rescue IPAddr::Error
            raise Refused, "NIC #{@id}: #{name}=#{value.inspect} is neither an address nor a mask"
        end
    end

    # What is written into a binding, or names a file.
    module Check
        def self.interface?(name)
            name.match?(/\A[A-Za-z0-9][A-Za-z0-9_.-]{0,14}\z/)
        end

        def self.hostname?(name)
            name.length <= 253 && name.match?(/\A[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\z/)
        end
    end

    # The directory of bindings.
    module Files
        # Whole, and at once: nfdhcpd passes over names with a leading dot.
        def self.write(tap, text)
            Tempfile.create(".#{tap}.", BINDINGS) do |file|
                file.write(text)
                file.chmod(0o644)
                file.close
                File.rename(file.path, File.join(BINDINGS, tap))
            end
        end

        # Those whose first line the block wants gone.
        def self.remove
            Dir.each_child(BINDINGS) do |name|
                path = File.join(BINDINGS, name)
                next if name.start_with?('.') || !File.file?(path)

                File.unlink(path) if yield File.open(path) { |file| file.gets(100).to_s }
            end
        end
    end
end
