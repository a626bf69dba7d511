#include <array>

#include "api/endpoint.hpp"

namespace entrepot::api {
namespace {

constexpr std::string_view read_only = "GET, HEAD";

// Sections: OCI distribution-spec v1.1. Mirrored repositories are read-only, so the push endpoints
// serve no method yet: 405 tells a client that the path exists and what it may do there.
constexpr std::array registry_table{
    Endpoint{"ping", "/v2/", read_only, "Determining Support (end-1)", answer_ping},
    Endpoint{"catalog", "/v2/_catalog", read_only, "Docker Registry HTTP API V2", answer_catalog},
    Endpoint{"tags", "/v2/<name>/tags/list", read_only, "Listing Tags (end-8)", answer_tags},
    Endpoint{"manifest", "/v2/<name>/manifests/<argument>", read_only, "Pulling manifests (end-3)",
             answer_manifest},
    Endpoint{"referrers", "/v2/<name>/referrers/<argument>", read_only,
             "Listing Referrers (end-12)", answer_referrers},
    Endpoint{"upload", "/v2/<name>/blobs/uploads/", "", "Pushing blobs (end-4)", nullptr},
    Endpoint{"upload", "/v2/<name>/blobs/uploads/<argument>", "", "Pushing blobs (end-5, 6, 13)",
             nullptr},
    Endpoint{"blob", "/v2/<name>/blobs/<argument>", read_only, "Pulling blobs (end-2)",
             answer_blob},
    Endpoint{"healthz", "/healthz", read_only, "", answer_health},
    Endpoint{"readyz", "/readyz", read_only, "", answer_readiness},
    Endpoint{"metrics", "/metrics", read_only, "", answer_metrics},
};

constexpr std::array admin_table{
    Endpoint{"healthz", "/healthz", read_only, "", answer_health},
    Endpoint{"readyz", "/readyz", read_only, "", answer_readiness},
    Endpoint{"metrics", "/metrics", read_only, "", answer_metrics},
};

}  // namespace

std::span<const Endpoint> registry_endpoints() { return registry_table; }

std::span<const Endpoint> admin_endpoints() { return admin_table; }

}  // namespace entrepot::api
