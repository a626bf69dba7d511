// From what the operator said about access to what auth::Gate goes by: the rules that hold when
// none were written, and the token server, which is on as soon as it can work.
#pragma once

#include "app/config.hpp"

namespace entrepot::app {

// Without rules: anybody pulls and nobody pushes; with users: each of them pulls, pushes and
// deletes, as with registry:2, and nobody else does anything. The token server needs users and an
// external_url, which clients are sent to.
auth::GateOptions gate_options(const Config& config);

// Everybody may pull, push and delete: a registry for a network where all are trusted.
std::vector<auth::Rule> open_rules();

}  // namespace entrepot::app
