"""A composition function on Debian's grpcio: composes a ConfigMap that bears its name. What the render tests expect of it."""

import argparse
import os
import signal
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, struct_pb2  # noqa: F401 (struct_pb2 is used by name)

NAME = os.environ.get("FUNCTION_NAME", "function-python")
SERVICES = ["apiextensions.fn.proto.v1.FunctionRunnerService", "apiextensions.fn.proto.v1beta1.FunctionRunnerService"]
READY_TRUE, SEVERITY_NORMAL = 1, 3

# What is used of the protocol; what is not named here travels through unread.
FIELDS = {
    "Meta": [("tag", 1, "string")],
    "Resource": [("resource", 1, ".google.protobuf.Struct"), ("ready", 3, "int32")],
    "State": [("composite", 1, ".fn.Resource"), ("resources", 2, {".fn.Resource"})],
    "Result": [("severity", 1, "int32"), ("message", 2, "string")],
    "Request": [("meta", 1, ".fn.Meta"), ("observed", 2, ".fn.State"), ("desired", 3, ".fn.State")],
    "Response": [("meta", 1, ".fn.Meta"), ("desired", 2, ".fn.State"), ("results", 3, [".fn.Result"])],
}


def messages():
    """Classes of the messages above, by name."""
    file = descriptor_pb2.FileDescriptorProto(name="fn.proto", package="fn", syntax="proto3", dependency=["google/protobuf/struct.proto"])
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            add_field(message, field, number, kind, f".fn.{name}")
    pool = descriptor_pool.Default()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"fn.{name}")) for name in FIELDS}


def add_field(message, name, number, kind, scope):
    kinds = descriptor_pb2.FieldDescriptorProto
    label = kinds.LABEL_OPTIONAL
    if isinstance(kind, set):
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        add_field(entry, "key", 1, "string", scope)
        add_field(entry, "value", 2, *kind, scope)
        kind, label = f"{scope}.{entry.name}", kinds.LABEL_REPEATED
    elif isinstance(kind, list):
        kind, label = kind[0], kinds.LABEL_REPEATED
    field = message.field.add(name=name, number=number, label=label)
    if kind.startswith("."):
        field.type, field.type_name = kinds.TYPE_MESSAGE, kind
    else:
        field.type = {"string": kinds.TYPE_STRING, "int32": kinds.TYPE_INT32}[kind]


class Handler(grpc.GenericRpcHandler):
    def __init__(self):
        self._messages = messages()

    def service(self, details):
        if details.method in [f"/{service}/RunFunction" for service in SERVICES]:
            request, response = self._messages["Request"], self._messages["Response"]
            return grpc.unary_unary_rpc_method_handler(self._run, request.FromString, response.SerializeToString)
        return None

    def _run(self, request, context):
        response = self._messages["Response"]()
        response.meta.tag = request.meta.tag
        response.desired.CopyFrom(request.desired)
        composed = response.desired.resources[NAME]
        composed.ready = READY_TRUE
        composed.resource.update({"apiVersion": "v1", "kind": "ConfigMap", "data": {"from": NAME}})
        response.results.add(severity=SEVERITY_NORMAL, message=f"hello from {NAME}")
        return response


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", default="0.0.0.0:9443")
    parser.add_argument("--insecure", action="store_true")
    arguments = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(4), [Handler()])
    server.add_insecure_port(arguments.address)
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
    print(f"{NAME} listens on {arguments.address}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
