# SPDX-License-Identifier: Apache-2.0
"""A small client of the Kubernetes container runtime interface: what a kubelet would call.

Needs python3-grpcio and python3-protobuf; protoc makes the messages of cri.proto at need."""
import importlib
import os
import subprocess
import sys

from engines import TIMEOUT, Failure
from world import CGROUP_PARENT, IMAGE

_HERE = os.path.dirname(os.path.realpath(__file__))


def messages(directory):
    """The module of cri.proto."""
    subprocess.run(["protoc", "--proto_path", _HERE, "--python_out", directory, "cri.proto"],
                   check=True)
    sys.path.insert(0, directory)
    return importlib.import_module("cri_pb2")


class Cri:
    """Calls at containerd's socket."""

    def __init__(self, socket, directory):
        import grpc  # pylint: disable=import-outside-toplevel
        self.grpc = grpc
        self.pb = messages(directory)
        self.channel = grpc.insecure_channel("unix://" + socket)
        self.logs = directory

    def call(self, method, request=None, answer="Empty"):
        """One call of runtime.v1.RuntimeService; `answer` is the message that it gives."""
        stub = self.channel.unary_unary(
            "/runtime.v1.RuntimeService/" + method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(self.pb, answer).FromString)
        try:
            return stub(request if request is not None else self.pb.Empty(), timeout=TIMEOUT)
        except self.grpc.RpcError as error:
            raise Failure(f"{method}: {error.details()}") from error

    def run_pod(self, name, share_pids=False):
        """A pod on the host's network, which wants no CNI; its configuration and id."""
        pb = self.pb
        spaces = pb.NamespaceOption(network=pb.NODE, pid=pb.POD if share_pids else pb.CONTAINER)
        config = pb.SandboxConfig(
            metadata=pb.SandboxMetadata(name=name, uid=name, namespace="test"),
            log_directory=self.logs,
            linux=pb.LinuxSandbox(cgroup_parent=f"{CGROUP_PARENT}/{name}",
                                  security_context=pb.SandboxSecurity(namespace_options=spaces)))
        request = pb.RunPodSandboxRequest(config=config, runtime_handler="tested")
        return config, self.call("RunPodSandbox", request, "SandboxId").id

    def create(self, pod, name, command, **more):
        """A container of `pod` (what run_pod gave); its id. `more`: fields of ContainerConfig."""
        pb = self.pb
        spaces = pod[0].linux.security_context.namespace_options
        linux = more.pop("linux", pb.LinuxContainer())
        linux.security_context.namespace_options.CopyFrom(spaces)
        config = pb.ContainerConfig(metadata=pb.ContainerMetadata(name=name),
                                    image=pb.Image(image=IMAGE), command=command,
                                    log_path=name + ".log", linux=linux, **more)
        request = pb.CreateContainerRequest(pod_sandbox_id=pod[1], config=config,
                                            sandbox_config=pod[0])
        return self.call("CreateContainer", request, "ContainerId").id

    def of(self, method, container, answer="Empty", message="ContainerId", **more):
        """A call that names one container."""
        return self.call(method, getattr(self.pb, message)(id=container, **more), answer)

    def status(self, container):
        """Its state's number and its exit code."""
        status = self.of("ContainerStatus", container, "ContainerStatusResponse").status
        return status.state, status.exit_code

    def exec(self, container, *command):
        """ExecSync: status and output."""
        done = self.of("ExecSync", container, "ExecSyncResponse", "ExecSyncRequest",
                       cmd=command, timeout=20)
        return done.exit_code, done.stdout.decode()

    def log(self, name):
        """What the kubelet would show."""
        with open(os.path.join(self.logs, name + ".log"), encoding="utf-8") as file:
            return [line.rstrip("\n").split(" ", 3)[3] for line in file]
