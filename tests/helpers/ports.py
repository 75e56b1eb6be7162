"""What each port of a host answers to a stranger who has no token: `python ports.py ADDRESS PORT...` prints JSON.

Ray's ports speak HTTP, or gRPC of one of its services; a port that knows none of these calls is called unknown.
"""

import http.client
import json
import sys
import urllib.error
import urllib.request

import grpc

METHODS = {
    "the state of the cluster (GCS)": "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo",
    "the node's manager (raylet)": "/ray.rpc.NodeManagerService/GetNodeStats",
    "objects between nodes (raylet)": "/ray.rpc.ObjectManagerService/Push",
    "the node's agent": "/ray.rpc.ReporterService/GetTraceback",
    "Ray Client": "/ray.rpc.RayletDriver/ClusterInfo",
    "a worker": "/ray.rpc.CoreWorkerService/GetCoreWorkerStats",
}
REFUSED = "refused"


def probe(address: str, port: int) -> tuple[str, str]:
    """The purpose of a port, and `refused` or what it gave."""
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/", timeout=5) as answer:
            return "HTTP", f"answers {answer.status}"
    except urllib.error.HTTPError as error:
        return "HTTP", REFUSED if error.code == 401 else f"answers {error.code}"
    except (http.client.BadStatusLine, OSError):  # no HTTP/1 is spoken there
        pass
    with grpc.insecure_channel(f"{address}:{port}") as channel:
        for purpose, method in METHODS.items():
            try:
                channel.unary_unary(method)(b"", timeout=5)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                    return purpose, REFUSED
                if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                    return purpose, str(error.code())
            else:
                return purpose, "answers"
    return "unknown", "unknown"


if __name__ == "__main__":
    print(json.dumps({port: probe(sys.argv[1], int(port)) for port in sys.argv[2:]}))
