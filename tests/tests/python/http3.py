# Asks for a page by HTTP/3. Arguments: the address, and the hosts that are asked there one after the other, each
# over a connection of its own.
# Prints a line for each: what it answered, or "no answer".
import asyncio
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived
from aioquic.quic.configuration import QuicConfiguration

ADDRESS, *HOSTS = sys.argv[1:]
PATIENCE = 3


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.answer = asyncio.get_running_loop().create_future()
        self.body = b""

    def quic_event_received(self, event):
        for it in self.http.handle_event(event):
            if isinstance(it, DataReceived):
                self.body += it.data
                if it.stream_ended:
                    self.answer.set_result(self.body.decode())

    async def get(self, host):
        head = [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", "/")]
        head = [(name.encode(), value.encode()) for name, value in head]
        stream = self._quic.get_next_available_stream_id()
        self.http.send_headers(stream, head, end_stream=True)
        self.transmit()
        return await self.answer


async def ask(host):
    configuration = QuicConfiguration(
        alpn_protocols=H3_ALPN,
        server_name=host,
        cafile="/etc/ssl/certs/ca-certificates.crt",
    )
    async with connect(ADDRESS, 443, configuration=configuration, create_protocol=Client) as client:
        return await client.get(host)


async def main():
    for host in HOSTS:
        try:
            print(await asyncio.wait_for(ask(host), PATIENCE), flush=True)
        except (OSError, asyncio.TimeoutError):
            print("no answer", flush=True)


asyncio.run(main())
