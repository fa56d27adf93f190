/** An answer file for two hosts, with every key; `proxyctl setup --example` prints it. */
export const EXAMPLE = `# Answers for \`proxyctl setup\`: one pair of FreeBSD hosts, HAProxy behind CARP.
pair = "web"                  # one name for the pair; stands in its certificates
# network = "wan"             # what agents call the network of the addresses
# preempt = false             # true only if something else on these hosts needs it
# password = "..."            # CARP's: 19 characters, no more; left out: one is made

[[host]]
name = "haproxy01.example.net"
interface = "vnet0"           # as ifconfig calls it
address = ["10.1.60.201/24", "2003:abcd:ef12:3460:d:22ff:fe50:3d0b/64", "fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b/64"]
gateway = ["10.1.60.1", "2003:abcd:ef12:3460::1"]

[[host]]
name = "haproxy02.example.net"
interface = "vnet0"
address = ["10.1.60.202/24", "2003:abcd:ef12:3460:420:99ff:feeb:2969/64", "fd5e:d1c2:c9de:60:420:99ff:feeb:2969/64"]
gateway = ["10.1.60.1", "2003:abcd:ef12:3460::1"]

[[vhid]]                      # the addresses that move; one number for both families
id = 1
vips = ["10.1.60.200", "fd5e:d1c2:c9de:60::200"]
advskew = { haproxy01 = 0, haproxy02 = 100 }   # the lower one is preferred

[[operator]]                  # each gets a certificate for the laptop
name = "anna"
role = "admin"                # or "operator", "viewer"

[firewall]
ssh = ["2003:abcd:ef12:3420::/60", "fd5e:d1c2:c9de:20::/64"]   # left out: from anywhere
operators = ["fd5e:d1c2:c9de:20::/64"]   # may reach the agents, beside the pair itself

[haproxy]
certificate = "/usr/local/etc/ssl/example.net.pem"   # yours: certificate, chain and key
# peers_port = 10000          # stick tables, between the two hosts
# default = "GITEA"           # the backend for every other name

[[backend]]
name = "ADGUARD01"
hosts = ["adguard01.example.net"]
servers = ["[fd5e:d1c2:c9de:60::13]:443"]      # addresses, no names
tls = true                    # to the server, which proves to be the first of hosts,
# ca = "/usr/local/etc/ssl/own-ca.pem"   # by this CA; left out: by one of the system's

[[backend]]
name = "GITEA"
hosts = ["gitea.example.net"]
servers = ["[fd5e:d1c2:c9de:70::5]:3000"]
# sticky = true               # a client stays with its server

[[backend]]
name = "UNIFI"
hosts = ["unifi.example.net"]
servers = ["10.1.12.2:8443"]
tls = true
# verify = false              # for a certificate that nobody signed: anybody is believed
`;
