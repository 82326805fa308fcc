"""A provider of Apache Dubbo for the Triple protocol, with one service of one method, on bytes."""

import json
import signal
import socket

import dubbo
from dubbo.configs import ServiceConfig
from dubbo.proxy.handlers import RpcMethodHandler, RpcServiceHandler


def say_hello(message):
    if message == b"\x0a\x04fail":
        raise ValueError("no greeting for that")
    # The message has one text: its tag, its length, and itself.
    print(json.dumps({"id": message[2:].decode(), "message": message.hex()}), flush=True)
    return message


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def same(message):
    return message


method = RpcMethodHandler.unary(method=say_hello, method_name="sayHello",
                                request_deserializer=same, response_serializer=same)
service = RpcServiceHandler("org.example.Greeter", [method])
port = free_port()
dubbo.Server(ServiceConfig(service, host="127.0.0.1", port=port)).start()
print(json.dumps({"port": port}), flush=True)
signal.pause()
