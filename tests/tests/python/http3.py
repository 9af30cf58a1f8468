# Asks for pages by HTTP/3. Arguments: the address, and the hosts that are asked there one after the other, each
# over a connection of its own. "--long" makes the first packets longer than a datagram; "--again=FILE" has each asked
# once more, over the same connection, as soon as there is such a file.
# Prints a line for each answer, or "no answer".
import argparse
import asyncio
import pathlib

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived
from aioquic.quic.configuration import QuicConfiguration

arguments = argparse.ArgumentParser()
arguments.add_argument("--long", action="store_true")
arguments.add_argument("--again", type=pathlib.Path)
arguments.add_argument("address")
arguments.add_argument("hosts", nargs="+")
ASKED = arguments.parse_args()
OTHERS = [f"protocol-{n}-" + "x" * 200 for n in range(8)] if ASKED.long else []
PATIENCE = 30 if ASKED.again else 3


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)

    def quic_event_received(self, event):
        for it in self.http.handle_event(event):
            if isinstance(it, DataReceived):
                self.body += it.data
                if it.stream_ended:
                    self.answer.set_result(self.body.decode())

    async def get(self, host):
        self.answer = asyncio.get_running_loop().create_future()
        self.body = b""
        head = [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", "/")]
        head = [(name.encode(), value.encode()) for name, value in head]
        stream = self._quic.get_next_available_stream_id()
        self.http.send_headers(stream, head, end_stream=True)
        self.transmit()
        return await self.answer


async def ask(host):
    configuration = QuicConfiguration(
        alpn_protocols=H3_ALPN + OTHERS,
        server_name=host,
        cafile="/etc/ssl/certs/ca-certificates.crt",
    )
    async with connect(
        ASKED.address, 443, configuration=configuration, create_protocol=Client
    ) as client:
        print(await client.get(host), flush=True)
        if ASKED.again:
            while not ASKED.again.exists():
                await asyncio.sleep(0.05)
            print(await client.get(host), flush=True)


async def main():
    for host in ASKED.hosts:
        try:
            await asyncio.wait_for(ask(host), PATIENCE)
        except (OSError, asyncio.TimeoutError):
            print("no answer", flush=True)


asyncio.run(main())
