// GET and HEAD /v2/<name>/blobs/<digest> (distribution-spec "Pulling blobs"), with ranges.
#include "api/call.hpp"
#include "api/replies.hpp"
#include "entrepot/http/range.hpp"

namespace entrepot::api {
namespace {

constexpr std::string_view blob_type = "application/octet-stream";

// Answers without the bytes: a HEAD must not start a download, nor need a client that has the blob
// already cause one.
async::Task<http::Reply> describe_blob(Call call, oci::Digest digest) {
  const auto found = co_await call.route->source->stat(call.route->name, digest);
  if (!found) registry::refuse(found.error(), registry::Subject::blob);
  http::Reply reply;
  reply.headers.set("Content-Type", blob_type);
  reply.headers.set("Accept-Ranges", "bytes");
  describe_content(reply, digest, Mutability::by_digest);
  describe_provenance(reply, *call.route, found->provenance);
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
  auto found = co_await call.route->source->blob(call.route->name, digest);
  if (!found) registry::refuse(found.error(), registry::Subject::blob);
  http::Reply reply;
  describe_content(reply, digest, Mutability::by_digest);
  describe_provenance(reply, *call.route, found->provenance);
  http::set_content(reply, call.request, std::move(found->bytes), blob_type, entity_tag(digest));
  // That one question was out of range is nothing to remember.
  if (reply.status == 416) reply.headers.remove("Cache-Control");
  co_return reply;
}

}  // namespace entrepot::api
