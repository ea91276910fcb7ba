// Composes a ConfigMap named in spec.name, and says so: what the render tests expect of it.
import { Resource, normal, serve } from "@crossplane-org/function-sdk-typescript";

serve((request, response) => {
  const name = request.observed?.composite?.resource?.spec?.name ?? "nobody";
  response.desired.resources["from-typescript"] = Resource.fromJSON({
    resource: { apiVersion: "v1", kind: "ConfigMap", data: { greeting: `Hello, ${name}!` } },
    ready: "READY_TRUE",
  });
  normal(response, `Greeted ${name}`);
  return response;
});
