"""A gRPC server that implements the published service from the published file, and one method that
is not of ours. It does what the method of a request says, and shows every request."""

import concurrent.futures
import importlib
import json
import pathlib
import sys
import tempfile
import time

import grpc
from google.protobuf import json_format
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).parents[5] / "proto"
NAME = "posthouse/relay/v1/relay"


def compiled():
    """The Python modules of the published file, made anew."""
    out = tempfile.mkdtemp()
    options = ["protoc", f"-I{PROTO}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main([*options, f"{NAME}.proto"]) != 0:
        sys.exit("the published file cannot be compiled")
    sys.path.insert(0, out)
    module = NAME.replace("/", ".")
    return importlib.import_module(module + "_pb2"), importlib.import_module(module + "_pb2_grpc")


messages, services = compiled()
times = {}


def show(id, more, context):
    metadata = {key: value for key, value in context.invocation_metadata()}
    # One write: several threads may say something at the same time.
    sys.stdout.write(json.dumps({"id": id, "metadata": metadata, **more}) + "\n")
    sys.stdout.flush()
    times[id] = times.get(id, 0) + 1
    return times[id]


def fields_left(message):
    """What the published file has no name for."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.DiscardUnknownFields()
    return len(message.SerializeToString()) - len(copy.SerializeToString())


class Receiver(services.ReceiverServicer):
    def Deliver(self, request, context):
        shown = json_format.MessageToDict(request, preserving_proto_field_name=True)
        unknown = fields_left(request)
        count = show(request.id, {"request": shown, "unknown": unknown}, context)
        if request.method == "postpone" and count == 1:
            return messages.Reply(outcome=messages.OUTCOME_POSTPONED, retry_after_ms=200)
        if request.method == "reject":
            return messages.Reply(outcome=messages.OUTCOME_REJECTED, status=-7, detail="never")
        if request.method == "slow" and count == 1:
            time.sleep(2)
        if request.method == "unavailable" and count == 1:
            context.set_trailing_metadata((("grpc-retry-pushback-ms", "150"),))
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        if request.method == "invalid":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such \u00e9tat")
        return messages.Reply(outcome=messages.OUTCOME_DONE, status=7)


class Other(grpc.GenericRpcHandler):
    """Any method at all, on bytes."""

    def service(self, details):
        if not details.method.startswith("/org.example."):
            return None
        return grpc.unary_unary_rpc_method_handler(lambda message, context: self.take(
            details.method, message, context))

    def take(self, path, message, context):
        metadata = dict(context.invocation_metadata())
        show(metadata["posthouse-request-id"], {"path": path, "message": message.hex()}, context)
        return b"\x0a\x02ok"


server = grpc.server(concurrent.futures.ThreadPoolExecutor(32))
services.add_ReceiverServicer_to_server(Receiver(), server)
server.add_generic_rpc_handlers((Other(),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(json.dumps({"port": port}), flush=True)
server.wait_for_termination()
