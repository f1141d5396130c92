"use strict";

window.ui = SwaggerUIBundle({
  url: "/docs/openapi.yml",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  // No badge of validator.swagger.io: this page asks no other host.
  validatorUrl: null,
});
