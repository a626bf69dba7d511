// One request that matched a line of the route table, as its handler sees it.
#pragma once

#include <string_view>

#include "entrepot/api/router.hpp"

namespace entrepot::api {

// Refers to the request and to the router's frame, which both outlive the handler.
struct Call {
  const Collaborators& house;
  const http::Request& request;
  std::string_view name;      // as the client wrote it, between /v2/ and the verb; may be empty
  std::string_view argument;  // the last component of a pattern that ends in one
  const registry::Route* route = nullptr;  // set exactly for patterns with <name>
};

using Answerer = async::Task<http::Reply> (*)(Call call);

async::Task<http::Reply> answer_ping(Call call);
async::Task<http::Reply> answer_manifest(Call call);
async::Task<http::Reply> answer_blob(Call call);
async::Task<http::Reply> answer_tags(Call call);
async::Task<http::Reply> answer_referrers(Call call);
async::Task<http::Reply> answer_catalog(Call call);
async::Task<http::Reply> answer_health(Call call);
async::Task<http::Reply> answer_readiness(Call call);
async::Task<http::Reply> answer_metrics(Call call);

}  // namespace entrepot::api
