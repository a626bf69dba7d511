// GET, HEAD and DELETE /v2/<name>/blobs/<digest> (distribution-spec "Pulling blobs", "Deleting
// Blobs"), with ranges.
#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/lease.hpp"
#include "api/replies.hpp"
#include "entrepot/http/range.hpp"

namespace entrepot::api {
namespace {

constexpr std::string_view blob_type = "application/octet-stream";

// Whoever may begin a repository here asks before he pushes; told of what upstream has he would not
// bring it, and then his manifest lists what is not here. Only what is held counts for him: that a
// manifest of his takes along (registry::ManifestPut::counterpart).
async::Task<registry::Answer<registry::BlobSize>> size_of(const Call& call, oci::Digest digest) {
  const auto& route = call.route();
  if (!call.request.is_head() || !may_claim(call)) {
    co_return co_await route.source->stat(route.name, digest);
  }
  co_return co_await call.house.reading.local.stat(route.canonical, digest);
}

// Answers without the bytes: a HEAD must not start a download, nor need a client that has the blob
// already cause one. One who may push builds on it.
async::Task<http::Reply> describe_blob(Call call, oci::Digest digest) {
  Promise promised;
  if (may_build_on(call) || may_claim(call)) promised = co_await promise(call, digest);
  const auto found = co_await size_of(call, digest);
  if (!found) registry::refuse(found.error(), registry::Subject::blob);
  promised.stands();
  http::Reply reply;
  reply.headers.set("Content-Type", blob_type);
  reply.headers.set("Accept-Ranges", "bytes");
  describe_content(reply, digest, Mutability::by_digest);
  describe_provenance(reply, call.route(), found->provenance);
  if (!is_known_to_client(reply, call.request, digest)) reply.head_length = found->size;
  co_return reply;
}

bool needs_no_bytes(const http::Request& request, const oci::Digest& digest) {
  http::Reply ignored;
  return request.is_head() || is_known_to_client(ignored, request, digest);
}

}  // namespace

async::Task<http::Reply> answer_blob(Call call) {
  const auto digest = required_digest(call.argument);
  if (needs_no_bytes(call.request, digest)) co_return co_await describe_blob(call, digest);
  const auto& route = call.route();
  auto found = co_await route.source->blob(route.name, digest);
  if (!found) registry::refuse(found.error(), registry::Subject::blob);
  http::Reply reply;
  describe_content(reply, digest, Mutability::by_digest);
  describe_provenance(reply, route, found->provenance);
  http::set_content(reply, call.request, std::move(found->bytes), blob_type, entity_tag(digest));
  // That one question was out of range is nothing to remember.
  if (reply.status == 416) reply.headers.remove("Cache-Control");
  co_return reply;
}

async::Task<http::Reply> delete_blob(Call call) {
  const auto digest = required_digest(call.argument);
  const bool deleted =
      co_await call.house.writing.writer.delete_blob(call.repository(), digest, actor_of(call));
  if (!deleted) throw oci::Refusal(oci::ErrorCode::blob_unknown, "no such blob here");
  const auto text = digest.text();
  audit(call, {.action = "delete blob", .repository = call.repository().text(), .digest = text});
  co_return empty_reply(202);
}

}  // namespace entrepot::api
