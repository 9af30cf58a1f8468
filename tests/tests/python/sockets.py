# Asks a model over a socket that was made and connected in one of the ways that clients know.
# Arguments: the way, the host, its IPv4 and its IPv6 address, the path. Standard input: the body.
# Prints what the socket says of itself, and the answer.
import asyncio
import ctypes
import errno
import json
import mmap
import os
import select
import socket
import ssl
import struct
import sys

WAY, HOST, V4, V6, PATH = sys.argv[1:]
BODY = sys.stdin.buffer.read()
PORT = 443

TCP_FASTOPEN_CONNECT = 30
MSG_FASTOPEN = 0x20000000
IPPROTO_MPTCP = 262
SO_BINDTODEVICE = 25

trust = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")


def request():
    head = [
        f"POST {PATH} HTTP/1.1",
        f"host: {HOST}",
        "content-type: application/json",
        "connection: close",
        f"content-length: {len(BODY)}",
    ]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + BODY


def ask(send, receive):
    """Speaks TLS through two functions that move bytes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trust.wrap_bio(incoming, outgoing, server_hostname=HOST)

    def flush():
        data = outgoing.read()
        if data:
            send(data)

    def until(step):
        while True:
            try:
                done = step()
                flush()
                return done
            except ssl.SSLWantReadError:
                flush()
                more = receive()
                if more:
                    incoming.write(more)
                else:
                    incoming.write_eof()

    until(tls.do_handshake)
    until(lambda: tls.write(request()))
    answer = b""
    try:
        while more := until(lambda: tls.read(65536)):
            answer += more
    except ssl.SSLZeroReturnError:
        pass
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200"), head
    return body.decode()


def over(s):
    return ask(s.sendall, lambda: s.recv(65536))


def tcp(family=socket.AF_INET, protocol=0):
    return socket.socket(family, socket.SOCK_STREAM, protocol)


def blocking():
    s = tcp()
    s.connect((V4, PORT))
    return s, over(s)


def nonblocking():
    s = tcp()
    s.setblocking(False)
    assert s.connect_ex((V4, PORT)) == errno.EINPROGRESS
    assert select.select([], [s], [], 10)[1], "it never connects"
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    assert s.connect_ex((V4, PORT)) in (0, errno.EISCONN)
    s.setblocking(True)
    return s, over(s)


def bound():
    # What the kernel would choose, and a port of our own.
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.connect((V4, 9))
    own = (probe.getsockname()[0], 42_424)
    s = tcp()
    s.bind(own)
    s.connect((V4, PORT))
    assert s.getsockname() == own, s.getsockname()
    return s, over(s)


def fastopen_connect():
    s = tcp()
    s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    s.connect((V4, PORT))
    return s, over(s)


def msg_fastopen():
    s = tcp()
    connected = []

    def send(data):
        if connected:
            s.sendall(data)
        else:
            connected.append(s.sendto(data, MSG_FASTOPEN, (V4, PORT)))
            assert connected == [len(data)], connected

    return s, ask(send, lambda: s.recv(65536))


def mptcp():
    s = tcp(protocol=IPPROTO_MPTCP)
    s.connect((V4, PORT))
    return s, over(s)


def bound_to_device():
    s = tcp()
    s.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"eth0\0")
    s.connect((V4, PORT))
    return s, over(s)


def mapped():
    s = tcp(socket.AF_INET6)
    s.connect((f"::ffff:{V4}", PORT))
    return s, over(s)


def v6_only():
    s = tcp(socket.AF_INET6)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.connect((V6, PORT))
    return s, over(s)


def happy_eyeballs():
    async def connect():
        _, writer = await asyncio.open_connection(HOST, PORT, happy_eyeballs_delay=0.25)
        return writer.get_extra_info("socket").dup()

    s = asyncio.run(connect())
    s.setblocking(True)
    return s, over(s)


class Ring:
    """io_uring(7), by its bare system calls: one entry at a time."""

    SETUP, ENTER = 425, 426
    CONNECT, SEND, RECEIVE = 16, 26, 27
    SQ_RING, CQ_RING, ENTRIES = 0, 0x8000000, 0x10000000
    GETEVENTS = 1

    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        params = bytearray(120)
        self.fd = self.call(self.SETUP, 4, (ctypes.c_char * 120).from_buffer(params))
        sq_entries, cq_entries = struct.unpack_from("II", params)
        self.sq = struct.unpack_from("10I", params, 40)
        self.cq = struct.unpack_from("10I", params, 80)
        self.sq_ring = mmap.mmap(self.fd, self.sq[6] + sq_entries * 4, offset=self.SQ_RING)
        self.cq_ring = mmap.mmap(self.fd, self.cq[5] + cq_entries * 16, offset=self.CQ_RING)
        self.entries = mmap.mmap(self.fd, sq_entries * 64, offset=self.ENTRIES)

    def call(self, number, *arguments):
        result = self.libc.syscall(ctypes.c_long(number), *arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    def word(self, ring, at):
        return struct.unpack_from("I", ring, at)[0]

    def submit(self, opcode, fd, address, length, offset=0):
        tail = self.word(self.sq_ring, self.sq[1])
        index = tail & self.word(self.sq_ring, self.sq[2])
        entry = struct.pack("BBHiQQII", opcode, 0, 0, fd, offset, address, length, 0)
        self.entries[index * 64 : index * 64 + 64] = entry.ljust(64, b"\0")
        struct.pack_into("I", self.sq_ring, self.sq[6] + index * 4, index)
        struct.pack_into("I", self.sq_ring, self.sq[1], tail + 1)
        self.call(self.ENTER, self.fd, 1, 1, self.GETEVENTS, None, 0)
        head = self.word(self.cq_ring, self.cq[0])
        at = self.cq[5] + (head & self.word(self.cq_ring, self.cq[2])) * 16
        result = struct.unpack_from("i", self.cq_ring, at + 8)[0]
        struct.pack_into("I", self.cq_ring, self.cq[0], head + 1)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result


def io_uring():
    ring, s = Ring(), tcp()
    to = struct.pack("=H", socket.AF_INET) + struct.pack("!H", PORT) + socket.inet_aton(V4) + bytes(8)
    to = ctypes.create_string_buffer(to, 16)
    # The length of the address stands where the offset does.
    ring.submit(Ring.CONNECT, s.fileno(), ctypes.addressof(to), 0, offset=16)

    def send(data):
        while data:
            buffer = ctypes.create_string_buffer(data, len(data))
            data = data[ring.submit(Ring.SEND, s.fileno(), ctypes.addressof(buffer), len(data)) :]

    def receive():
        buffer = ctypes.create_string_buffer(65536)
        length = ring.submit(Ring.RECEIVE, s.fileno(), ctypes.addressof(buffer), 65536)
        return buffer.raw[:length]

    return s, ask(send, receive)


def own_family():
    return tcp(socket.AF_INET6 if ":" in V4 else socket.AF_INET)


def impatient():
    """Three attempts to connect, for which it has less than a second each."""
    found = []
    for _ in range(3):
        s = own_family()
        s.settimeout(0.7)
        try:
            s.connect((V4, int(V6)))
            found.append(["connected", 0])
        except TimeoutError:
            found.append(["timed out", 0])
        except OSError as error:
            found.append(["connect", error.errno])
    print(json.dumps(found))
    sys.exit()


def listening():
    """What three connections hear, on which nothing is said."""
    found = []
    for _ in range(3):
        s = own_family()
        s.settimeout(10)
        heard = b""
        try:
            # A reset may be there before it returns.
            s.connect((V4, int(V6)))
            while more := s.recv(100):
                heard += more
            found.append([heard.decode(), 0])
        except ConnectionResetError:
            found.append(["reset", 0])
        except TimeoutError:
            found.append([f"{heard}, and no end", 0])
    print(json.dumps(found))
    sys.exit()


def late():
    """Sends its request, in clear, a while after it has connected."""
    s = own_family()
    s.connect((V4, int(V6)))
    select.select([], [], [], 0.5)
    s.sendall(request())
    s.shutdown(socket.SHUT_WR)
    print(s.recv(65536))
    sys.exit()


def failing():
    """The errors of three attempts in a row: of connect(), or of what comes after it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trust.wrap_bio(incoming, outgoing, server_hostname=HOST)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        hello = outgoing.read()
    found = []
    for _ in range(3):
        s = own_family()
        code = s.connect_ex((V4, int(V6)))
        if code == 0:
            try:
                s.sendall(hello)
                found.append(["closed" if s.recv(1) == b"" else "answered", 0])
            except OSError as error:
                found.append(["later", error.errno])
        else:
            found.append(["connect", code])
    print(json.dumps(found))
    sys.exit()


s, answer = globals()[WAY]()
print(json.dumps({"peer": s.getpeername()[:2], "answer": answer}))
