"""The API as the official Python client uses it: python3 client.py KUBECONFIG."""

import sys
import threading

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

GROUP, VERSION, NAMESPACE = "atelier.dev", "v1alpha1", "from-python"
WORKSPACES = (GROUP, VERSION, NAMESPACE, "workspaces")


def workspace(name, **spec):
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Workspace",
        "metadata": {"name": name, "labels": {"team": "python"}},
        "spec": {"suspend": True, **spec},
    }


def expect_status(code, call):
    try:
        call()
    except ApiException as error:
        assert error.status == code, f"{error.status} instead of {code}: {error.body}"
        return error
    raise AssertionError(f"no error instead of {code}")


def replace_model(objects, name, model):
    """The server writes the status meanwhile: who is told of a conflict reads again."""
    for _ in range(20):
        current = objects.get_namespaced_custom_object(*WORKSPACES, name)
        current["spec"]["model"] = model
        try:
            return objects.replace_namespaced_custom_object(*WORKSPACES, name, current)
        except ApiException as error:
            if error.status != 409:
                raise
    raise AssertionError("a conflict each time")


def main(kubeconfig):
    config.load_kube_config(kubeconfig)
    core = client.CoreV1Api()
    objects = client.CustomObjectsApi()

    assert client.VersionApi().get_code().git_version
    groups = [group.name for group in client.ApisApi().get_api_versions().groups]
    assert GROUP in groups, groups
    resources = client.CustomObjectsApi().list_cluster_custom_object(GROUP, VERSION, "updatetiers")
    assert {"canary", "production"} <= {item["metadata"]["name"] for item in resources["items"]}
    crds = client.ApiextensionsV1Api().list_custom_resource_definition().items
    assert "workspaces.atelier.dev" in [crd.metadata.name for crd in crds]

    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    assert core.read_namespace(NAMESPACE).status.phase == "Active"

    # Create, read, list with selectors and pages.
    made = objects.create_namespaced_custom_object(*WORKSPACES, workspace("a", role="tester"))
    assert made["metadata"]["uid"] and made["metadata"]["generation"] == 1
    for name in ("b", "c"):
        objects.create_namespaced_custom_object(*WORKSPACES, workspace(name))
    expect_status(409, lambda: objects.create_namespaced_custom_object(*WORKSPACES, workspace("a")))
    error = expect_status(
        422, lambda: objects.create_namespaced_custom_object(*WORKSPACES, workspace("bad", tier=99))
    )
    assert "spec.tier" in error.body, error.body
    selected = objects.list_namespaced_custom_object(*WORKSPACES, label_selector="team=python", limit=2)
    assert [item["metadata"]["name"] for item in selected["items"]] == ["a", "b"]
    rest = objects.list_namespaced_custom_object(
        *WORKSPACES, label_selector="team=python", limit=2, _continue=selected["metadata"]["continue"]
    )
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c"]
    listed = objects.list_namespaced_custom_object(*WORKSPACES)

    # Watch from where the list ended, while another thread changes things.
    seen, done = [], threading.Event()

    def follow():
        stream = watch.Watch().stream(
            objects.list_namespaced_custom_object,
            *WORKSPACES,
            resource_version=listed["metadata"]["resourceVersion"],
            timeout_seconds=60,
        )
        for event in stream:
            model = event["object"]["spec"].get("model")
            seen.append((event["type"], event["object"]["metadata"]["name"], model))
            if event["type"] == "DELETED":
                break
        done.set()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()

    # Merge patch (this client has no other for custom objects), replace, and a write of what
    # somebody else changed.
    patched = objects.patch_namespaced_custom_object(*WORKSPACES, "a", {"spec": {"model": "opus"}})
    assert patched["spec"]["model"] == "opus" and patched["spec"]["role"] == "tester"
    assert patched["metadata"]["generation"] == 2
    patched = objects.patch_namespaced_custom_object(*WORKSPACES, "a", {"spec": {"model": "haiku"}})
    assert patched["spec"]["model"] == "haiku"
    replace_model(objects, "a", "sonnet")
    expect_status(409, lambda: objects.replace_namespaced_custom_object(*WORKSPACES, "a", patched))
    assert objects.get_namespaced_custom_object(*WORKSPACES, "a")["spec"]["model"] == "sonnet"
    status = objects.get_namespaced_custom_object_status(*WORKSPACES, "a")
    assert status["metadata"]["name"] == "a"

    # Core kinds, typed.
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="s"), string_data={"KEY": "value"})
    core.create_namespaced_secret(NAMESPACE, secret)
    assert core.read_namespaced_secret("s", NAMESPACE).data == {"KEY": "dmFsdWU="}
    # A dict goes as a strategic merge patch, a list as a JSON patch.
    core.patch_namespaced_secret("s", NAMESPACE, {"metadata": {"labels": {"x": "first"}}})
    core.patch_namespaced_secret("s", NAMESPACE, [{"op": "replace", "path": "/metadata/labels/x", "value": "y"}])
    assert core.read_namespaced_secret("s", NAMESPACE).metadata.labels == {"x": "y"}
    assert isinstance(core.list_namespaced_event(NAMESPACE).items, list)

    expect_status(404, lambda: objects.get_namespaced_custom_object(*WORKSPACES, "nope"))
    objects.delete_namespaced_custom_object(*WORKSPACES, "b")
    assert done.wait(60), f"the watch saw only {seen}"
    models = [model for kind, name, model in seen if kind == "MODIFIED" and name == "a"]
    assert [m for i, m in enumerate(models) if i == 0 or models[i - 1] != m][-3:] == ["opus", "haiku", "sonnet"], seen
    assert seen[-1][:2] == ("DELETED", "b"), seen

    configuration = client.Configuration.get_default_copy()
    configuration.api_key = {"authorization": "Bearer wrong"}
    stranger = client.CustomObjectsApi(client.ApiClient(configuration))
    expect_status(401, lambda: stranger.list_namespaced_custom_object(*WORKSPACES))

    core.delete_namespace(NAMESPACE)
    print("python client: fine")


main(sys.argv[1])
