"use strict";

// What may be left out is left out: examples of filters, filled in for you, would find nothing.
function leaveOptionalEmpty(description) {
  const shared = Object.values(description.components.parameters);
  const own = Object.values(description.paths).flatMap((path) =>
    Object.values(path).flatMap((part) => part.parameters || []));
  for (const parameter of [...shared, ...own]) {
    if (parameter.in !== "path" && !parameter.required && !parameter.$ref) parameter.example = "";
  }
  return description;
}

window.ui = SwaggerUIBundle({
  url: "/docs/openapi.yml",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  plugins: [() => ({
    statePlugins: { spec: { wrapActions: {
      updateJsonSpec: (update) => (description) => update(leaveOptionalEmpty(description)),
    } } },
  })],
  // No badge of validator.swagger.io: this page asks no other host.
  validatorUrl: null,
});
