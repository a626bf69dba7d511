#include "api/lease.hpp"

#include "api/actor.hpp"

namespace entrepot::api {
namespace {

bool may_create(const Call& call, const oci::RepositoryName& repository) {
  const auto& who = call.grant.principal();
  return call.house.reading.gate.may(who, auth::Right::create, repository);
}

}  // namespace

bool may_build_on(const Call& call) {
  return call.route().upstream.empty() && may_create(call, call.repository());
}

bool may_claim(const Call& call) {
  return call.place->unclaimed && may_create(call, *call.place->unclaimed);
}

async::Task<Promise> promise(const Call& call, oci::Digest digest) {
  auto& leases = call.house.writing.leases;
  const auto to = registry::promisee(call.repository(), actor_of(call));
  // Nearly never is a digest being judged just now.
  if (!leases.try_take(digest, to)) co_await leases.take(digest, to);
  co_return Promise(leases, digest, to);
}

}  // namespace entrepot::api
