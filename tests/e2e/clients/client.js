// The API as the official JavaScript client uses it: node client.js KUBECONFIG.
"use strict";

const assert = require("node:assert");

const group = "atelier.dev";
const version = "v1alpha1";
const namespace = "from-node";
const plural = "workspaces";
const all = { group, version, namespace, plural };

const workspace = (name, spec = {}) => ({
  apiVersion: `${group}/${version}`,
  kind: "Workspace",
  metadata: { name, labels: { team: "node" } },
  spec: { suspend: true, ...spec },
});

async function expectStatus(code, call) {
  try {
    await call();
  } catch (error) {
    assert.strictEqual(error.code, code, `${error.code} instead of ${code}: ${error.body}`);
    return error;
  }
  throw new Error(`no error instead of ${code}`);
}

// The server writes the status meanwhile: who is told of a conflict reads again.
async function replaceModel(objects, name, model) {
  for (let i = 0; i < 20; i++) {
    const body = await objects.getNamespacedCustomObject({ ...all, name });
    body.spec.model = model;
    try {
      return await objects.replaceNamespacedCustomObject({ ...all, name, body });
    } catch (error) {
      if (error.code !== 409) throw error;
    }
  }
  throw new Error("a conflict each time");
}

async function main(kubeconfig) {
  const k8s = await import("@kubernetes/client-node");
  const config = new k8s.KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(k8s.CoreV1Api);
  const objects = config.makeApiClient(k8s.CustomObjectsApi);

  await core.createNamespace({ body: { metadata: { name: namespace } } });
  const made = await objects.createNamespacedCustomObject({ ...all, body: workspace("a", { role: "tester" }) });
  assert.ok(made.metadata.uid);
  await objects.createNamespacedCustomObject({ ...all, body: workspace("b") });
  await expectStatus(409, () => objects.createNamespacedCustomObject({ ...all, body: workspace("a") }));
  const listed = await objects.listNamespacedCustomObject({ ...all, labelSelector: "team=node" });
  assert.deepStrictEqual(listed.items.map((item) => item.metadata.name), ["a", "b"]);

  // An informer: list, then watch.
  const seen = [];
  const informer = k8s.makeInformer(
    config,
    `/apis/${group}/${version}/namespaces/${namespace}/${plural}`,
    () => objects.listNamespacedCustomObject(all),
  );
  const deleted = new Promise((resolve, reject) => {
    informer.on("add", (object) => seen.push(`add ${object.metadata.name}`));
    informer.on("update", (object) => seen.push(`update ${object.metadata.name} ${object.spec.model}`));
    informer.on("delete", (object) => resolve(seen.push(`delete ${object.metadata.name}`)));
    informer.on("error", reject);
    setTimeout(() => reject(new Error(`the informer saw only ${seen}`)), 60000).unref();
  });
  await informer.start();

  const patched = await objects.patchNamespacedCustomObject(
    { ...all, name: "a", body: [{ op: "add", path: "/spec/model", value: "opus" }] },
    k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.JsonPatch),
  );
  assert.strictEqual(patched.spec.model, "opus");
  await objects.patchNamespacedCustomObject(
    { ...all, name: "a", body: { spec: { model: "haiku" } } },
    k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch),
  );
  const read = await objects.getNamespacedCustomObject({ ...all, name: "a" });
  assert.strictEqual(read.spec.model, "haiku");
  assert.strictEqual(read.spec.role, "tester");
  await replaceModel(objects, "a", "sonnet");
  await expectStatus(409, () => objects.replaceNamespacedCustomObject({ ...all, name: "a", body: read }));
  await expectStatus(404, () => objects.getNamespacedCustomObject({ ...all, name: "nope" }));

  await core.createNamespacedSecret({ namespace, body: { metadata: { name: "s" }, stringData: { KEY: "value" } } });
  const secret = await core.readNamespacedSecret({ namespace, name: "s" });
  assert.deepStrictEqual(secret.data, { KEY: "dmFsdWU=" });

  await objects.deleteNamespacedCustomObject({ ...all, name: "b" });
  await deleted;
  await informer.stop();
  for (const step of ["add a", "add b", "update a opus", "update a haiku", "update a sonnet", "delete b"]) {
    assert.ok(seen.includes(step), `${step} is not in ${seen}`);
  }
  await core.deleteNamespace({ name: namespace });
  console.log("node client: fine");
}

main(process.argv[2]).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
