#!/usr/bin/perl
# CARP on the wire for the lab: raw sockets of protocol 112 on stdin and stdout.
#   perl wire.pl DEVICE...
# in:  "FAMILY DEVICE HEX"  sends a whole packet (header included) from DEVICE
#      "frame DEVICE HEX"  sends a whole Ethernet frame from DEVICE, as it is
#      "open DEVICE"        opens the sockets to send from DEVICE (a macvlan, once it exists)
# out: "sent DEVICE ERRNO"   one such packet left, or could not
#      "arp DEVICE HEX"     an ARP frame that came in, with its Ethernet header
#      "FAMILY DEVICE HEX"  a packet that came in (IPv4 with its header, IPv6 the payload alone)
# Perl because every Debian has it; Node has no raw sockets without a compiler.
use strict; use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW SOL_SOCKET inet_aton inet_pton pack_sockaddr_in pack_sockaddr_in6);
use constant { CARP => 112, BINDTODEVICE => 25, HDRINCL => 3, HDRINCL6 => 36, ADD4 => 35, JOIN6 => 20 };
$| = 1;
my (%in, %out, %ether);
my $group4 = inet_aton('224.0.0.18');
my $group6 = inet_pton(AF_INET6, 'ff02::12');
for my $name (@ARGV) {
  for my $family (AF_INET, AF_INET6) {
    socket(my $s, $family, SOCK_RAW, CARP) or die "socket: $!\n";
    setsockopt($s, SOL_SOCKET, BINDTODEVICE, pack('Z*', $name)) or die "bind to $name: $!\n";
    # struct ip_mreqn: group, any local address, interface
    my $i = `ip -o link show dev $name` =~ /^(\d+):/ ? $1 : die "no device $name\n";
    if ($family == AF_INET) { setsockopt($s, 0, ADD4, $group4 . pack('x4 i', $i)) or die "join 224.0.0.18 on $name: $!\n" }
    else { setsockopt($s, 41, JOIN6, $group6 . pack('I', $i)) or die "join ff02::12 on $name: $!\n" }
    $in{fileno $s} = [$s, $family == AF_INET ? 4 : 6, $name];
  }
  # AF_PACKET, ETH_P_ARP; struct sockaddr_ll: family, protocol, index
  socket(my $e, 17, SOCK_RAW, unpack('S', pack('n', 0x0806))) or die "packet socket: $!\n";
  my $i = `ip -o link show dev $name` =~ /^(\d+):/ ? $1 : die "no device $name\n";
  bind($e, pack('S n i x12', 17, 0x0806, $i)) or die "bind to $name: $!\n";
  $in{fileno $e} = [$e, 'arp', $name];
  $ether{$name} = $e;
}
sub open_out {
  my ($name) = @_;
  for my $family (4, 6) {
    socket(my $s, $family == 4 ? AF_INET : AF_INET6, SOCK_RAW, CARP) or die "socket: $!\n";
    setsockopt($s, SOL_SOCKET, BINDTODEVICE, pack('Z*', $name)) or die "bind to $name: $!\n";
    if ($family == 4) { setsockopt($s, 0, HDRINCL, pack('i', 1)); setsockopt($s, 0, 34, pack('i', 0)) }
    else { setsockopt($s, 41, HDRINCL6, pack('i', 1)); setsockopt($s, 41, 19, pack('i', 0)) }
    $out{"$family $name"} = $s;
  }
}
my $rest = '';
print "ready\n";
while (1) {
  my $r = ''; vec($r, 0, 1) = 1; vec($r, $_, 1) = 1 for keys %in;
  next if select($r, undef, undef, undef) < 0;
  for my $fd (keys %in) {
    next unless vec($r, $fd, 1);
    my ($s, $family, $name) = @{ $in{$fd} };
    my $from = recv($s, my $packet, 2048, 0);
    # PACKET_OUTGOING: what this host sends itself.
    next if $family eq 'arp' && (unpack 'S n i S C', $from // '')[4] == 4;
    syswrite STDOUT, "$family $name " . unpack('H*', $packet) . "\n";
  }
  next unless vec($r, 0, 1);
  sysread(STDIN, $rest, 65536, length $rest) or exit 0;
  while ($rest =~ s/^(.*)\n//) {
    my ($what, $name, $hex) = split / /, $1;
    if ($what eq 'open') { open_out($name); next }
    if ($what eq 'frame') { send $ether{$name}, pack('H*', $hex), 0 if $ether{$name}; next }
    my $s = $out{"$what $name"}; next unless $s;
    my $to = $what == 4 ? pack_sockaddr_in(0, $group4) : pack_sockaddr_in6(0, $group6);
    my $errno = defined(send $s, pack('H*', $hex), 0, $to) ? 0 : $! + 0;
    syswrite STDOUT, "sent $name $errno\n";
  }
}
