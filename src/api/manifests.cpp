// GET and HEAD /v2/<name>/manifests/<reference> (distribution-spec "Pulling manifests"). The bytes
// are those that were pushed, or that upstream sent, whatever Accept says (reliability.md M-15).
#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/lease.hpp"
#include "api/replies.hpp"

namespace entrepot::api {
namespace {

struct Facts {
  const oci::Digest& digest;
  const std::string& media_type;
  const registry::Provenance& provenance;
};

http::Reply manifest_reply(const Call& call, const oci::Reference& reference, const Facts& facts) {
  http::Reply reply;
  reply.headers.set("Content-Type", facts.media_type);
  describe_content(reply, facts.digest,
                   reference.tag() ? Mutability::by_tag : Mutability::by_digest);
  describe_provenance(reply, call.route(), facts.provenance);
  return reply;
}

// What a tag stands for is leased as it is found. Should it move meanwhile, the new manifest is as
// young as the move and has its pusher's lease.
async::Task<Promise> promise_of(const Call& call, oci::Reference reference) {
  if (const auto* digest = reference.digest()) co_return co_await promise(call, *digest);
  const auto found = co_await call.route().source->resolve(call.route().name, reference);
  if (!found) co_return Promise{};
  co_return co_await promise(call, found->digest);
}

void tell_of_pull(const Call& call, const oci::Reference& reference,
                  const registry::ManifestContent& found) {
  auto& notifier = call.house.notifier;
  if (!notifier.wanted(index::EventKind::pull)) return;
  notifier.pulled({.time = call.house.clock.wall(),
                   .kind = index::EventKind::pull,
                   .repository = call.repository().text(),
                   .media_type = found.media_type,
                   .size = found.bytes.size(),
                   .digest = found.digest,
                   .tag = reference.tag() ? reference.tag()->text() : std::string{},
                   .from = {},
                   .from_repository = {},
                   .actor = actor_of(call)});
}

}  // namespace

async::Task<http::Reply> answer_manifest(Call call) {
  const auto reference = required_reference(call.argument);
  Promise promised;
  if (may_build_on(call)) promised = co_await promise_of(call, reference);
  auto& source = *call.route().source;
  if (call.request.is_head()) {
    const auto found = co_await source.resolve(call.route().name, reference);
    if (!found) registry::refuse(found.error(), registry::Subject::manifest);
    promised.stands();
    const Facts facts{found->digest, found->media_type, found->provenance};
    auto reply = manifest_reply(call, reference, facts);
    if (!is_known_to_client(reply, call.request, found->digest)) reply.head_length = found->size;
    co_return reply;
  }
  auto found = co_await source.manifest(call.route().name, reference);
  if (!found) registry::refuse(found.error(), registry::Subject::manifest);
  promised.stands();
  const Facts facts{found->digest, found->media_type, found->provenance};
  auto reply = manifest_reply(call, reference, facts);
  if (!is_known_to_client(reply, call.request, found->digest)) {
    tell_of_pull(call, reference, *found);
    reply.body.emplace_back(std::move(found->bytes));
  }
  co_return reply;
}

}  // namespace entrepot::api
