#include "api/lease.hpp"

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

async::Task<> lease(const Call& call, oci::Digest digest) {
  auto& leases = call.house.writing.leases;
  // Nearly never is a digest being judged just now.
  if (!leases.try_take(digest)) co_await leases.take(digest);
}

}  // namespace entrepot::api
