// GET and HEAD /v2/<name>/manifests/<reference> (distribution-spec "Pulling manifests"). The bytes
// are those upstream sent, whatever Accept says (reliability.md M-15).
#include "api/call.hpp"
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
  describe_provenance(reply, *call.route, facts.provenance);
  return reply;
}

}  // namespace

async::Task<http::Reply> answer_manifest(Call call) {
  const auto reference = required_reference(call.argument);
  auto& source = *call.route->source;
  if (call.request.is_head()) {
    const auto found = co_await source.resolve(call.route->name, reference);
    if (!found) registry::refuse(found.error(), registry::Subject::manifest);
    const Facts facts{found->digest, found->media_type, found->provenance};
    auto reply = manifest_reply(call, reference, facts);
    if (!is_known_to_client(reply, call.request, found->digest)) reply.head_length = found->size;
    co_return reply;
  }
  auto found = co_await source.manifest(call.route->name, reference);
  if (!found) registry::refuse(found.error(), registry::Subject::manifest);
  const Facts facts{found->digest, found->media_type, found->provenance};
  auto reply = manifest_reply(call, reference, facts);
  if (!is_known_to_client(reply, call.request, found->digest)) {
    reply.body.emplace_back(std::move(found->bytes));
  }
  co_return reply;
}

}  // namespace entrepot::api
