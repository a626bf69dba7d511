// One request that matched a line of the route table and may have what it asks for, as its handler
// sees it.
#pragma once

#include <optional>
#include <string_view>

#include "entrepot/api/router.hpp"

namespace entrepot::api {

// Where the repository of a request lies.
struct Place {
  registry::Route route;
  // The local name with which a push would begin a repository of its own, while the default
  // upstream answers for that name.
  std::optional<oci::RepositoryName> unclaimed{};
  bool claimed = false;  // a local repository, maybe empty by now
  // The name as written, when nothing may be found or changed under it: an upstream whose entry is
  // gone has left it, or it is too long for the default upstream to have it.
  std::optional<oci::RepositoryName> stray{};

  // The default upstream may still answer for such a name.
  bool is_nobodys() const { return stray && route.upstream.empty(); }
};

// Refers to the request and to the router's frame, which both outlive the handler. The Grant is
// what makes one: no handler runs for somebody who was not asked for (reliability.md rule 1).
struct Call {
  const Collaborators& house;
  const http::Request& request;
  const auth::Grant& grant;
  std::string_view name;         // as the client wrote it, between /v2/ and the verb; may be empty
  std::string_view argument;     // the last component of a pattern that ends in one
  const Place* place = nullptr;  // set exactly for patterns that name a repository

  const registry::Route& route() const { return place->route; }
  // Of a local repository: reads and writes use the same name.
  const oci::RepositoryName& repository() const { return place->route.canonical; }
};

using Answerer = async::Task<http::Reply> (*)(Call call);

async::Task<http::Reply> answer_ping(Call call);
async::Task<http::Reply> answer_catalog(Call call);
async::Task<http::Reply> answer_tags(Call call);
async::Task<http::Reply> answer_referrers(Call call);

async::Task<http::Reply> answer_manifest(Call call);
async::Task<http::Reply> put_manifest(Call call);
async::Task<http::Reply> delete_manifest(Call call);

async::Task<http::Reply> answer_blob(Call call);
async::Task<http::Reply> delete_blob(Call call);

async::Task<http::Reply> open_upload(Call call);
async::Task<http::Reply> answer_upload(Call call);
async::Task<http::Reply> append_upload(Call call);
async::Task<http::Reply> finish_upload(Call call);
async::Task<http::Reply> cancel_upload(Call call);

async::Task<http::Reply> answer_token(Call call);
async::Task<http::Reply> exchange_token(Call call);

async::Task<http::Reply> answer_feed(Call call);
async::Task<http::Reply> answer_summaries(Call call);
async::Task<http::Reply> answer_items(Call call);
async::Task<http::Reply> answer_latest(Call call);

async::Task<http::Reply> answer_history(Call call);
async::Task<http::Reply> roll_back(Call call);
async::Task<http::Reply> delete_repository(Call call);
async::Task<http::Reply> answer_read_only(Call call);
async::Task<http::Reply> set_read_only(Call call);
async::Task<http::Reply> answer_usage(Call call);
async::Task<http::Reply> reload(Call call);

async::Task<http::Reply> start_collection(Call call);
async::Task<http::Reply> start_adoption(Call call);
async::Task<http::Reply> start_export(Call call);
async::Task<http::Reply> start_want(Call call);
async::Task<http::Reply> start_bundle(Call call);
async::Task<http::Reply> start_bundle_application(Call call);
async::Task<http::Reply> start_warming(Call call);
async::Task<http::Reply> answer_site(Call call);
async::Task<http::Reply> answer_replication(Call call);
async::Task<http::Reply> answer_waiting(Call call);
async::Task<http::Reply> answer_peers(Call call);
async::Task<http::Reply> start_sync(Call call);
async::Task<http::Reply> answer_jobs(Call call);
async::Task<http::Reply> answer_job(Call call);
async::Task<http::Reply> stop_job(Call call);

async::Task<http::Reply> answer_health(Call call);
async::Task<http::Reply> answer_readiness(Call call);
async::Task<http::Reply> answer_metrics(Call call);

}  // namespace entrepot::api
