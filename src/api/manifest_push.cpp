// PUT and DELETE /v2/<name>/manifests/<reference> (distribution-spec "Pushing Manifests", "Deleting
// tags", "Deleting Manifests").
#include <algorithm>

#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/naming.hpp"
#include "api/replies.hpp"
#include "entrepot/index/catalog.hpp"

namespace entrepot::api {
namespace {

constexpr std::size_t most_tags = 100;

// Of the path, then of every ?tag=; each once.
std::vector<oci::Tag> requested_tags(const http::Request& request,
                                     const oci::Reference& reference) {
  std::vector<oci::Tag> tags;
  if (reference.tag()) tags.push_back(*reference.tag());
  for (const auto& [key, value] : request.target.query) {
    if (key != "tag") continue;
    auto tag = oci::Tag::parse(value);
    if (!tag) throw oci::Refusal(oci::ErrorCode::tag_invalid, "not a tag");
    if (std::ranges::find(tags, *tag) == tags.end()) tags.push_back(std::move(*tag));
    if (tags.size() > most_tags) {
      throw oci::Refusal(oci::ErrorCode::tag_invalid, "more than 100 tags at once");
    }
  }
  return tags;
}

std::string required_media_type(const http::Request& request) {
  const auto type = request.headers.get("Content-Type");
  if (type && !type->empty()) return std::string(*type);
  throw oci::Refusal(oci::ErrorCode::manifest_invalid, "Content-Type is missing");
}

async::Task<std::string> required_manifest(http::RequestBody& body) {
  const auto length = body.length();
  if (!length || *length <= oci::max_manifest_bytes) {
    auto bytes = co_await http::read_all(body, oci::max_manifest_bytes);
    if (bytes) co_return std::move(*bytes);
  }
  throw oci::Refusal(oci::ErrorCode::manifest_too_large, "at most 4 MiB");
}

// The tags the client asked for beside the path's own.
void list_tags(http::Reply& reply, const http::Request& request) {
  std::string accepted;
  for (const auto& [key, value] : request.target.query) {
    if (key != "tag") continue;
    if (!accepted.empty()) accepted += ", ";
    accepted += value;
  }
  if (!accepted.empty()) reply.headers.set("OCI-Tag", accepted);
}

async::Task<std::optional<oci::Digest>> target_of(const Call& call, const oci::Tag& tag) {
  const auto record = co_await call.house.reading.index.read(
      [&](const index::View& view) { return index::tag(view, call.repository(), tag); });
  if (!record) co_return std::nullopt;
  co_return record->digest;
}

async::Task<bool> remove_tag(const Call& call, const oci::Tag& tag) {
  const auto target = co_await target_of(call, tag);
  const bool removed =
      co_await call.house.writing.writer.delete_tag(call.repository(), tag, actor_of(call));
  if (!removed) co_return false;
  audit(call, {.action = "delete tag",
               .repository = call.repository().text(),
               .tag = tag.text(),
               .digest = target ? target->text() : std::string{}});
  co_return true;
}

async::Task<bool> remove_manifest(const Call& call, const oci::Digest& digest) {
  const bool removed =
      co_await call.house.writing.writer.delete_manifest(call.repository(), digest, actor_of(call));
  if (!removed) co_return false;
  audit(call, {.action = "delete manifest",
               .repository = call.repository().text(),
               .digest = digest.text()});
  co_return true;
}

}  // namespace

async::Task<http::Reply> put_manifest(Call call) {
  const auto reference = required_reference(call.argument);
  registry::ManifestPut put{.repository = call.repository(),
                            .digest = {},
                            .tags = requested_tags(call.request, reference),
                            .media_type = required_media_type(call.request),
                            .bytes = {},
                            .tag_move = tag_move(call),
                            .counterpart = counterpart(call)};
  if (reference.digest()) put.digest = *reference.digest();
  put.bytes = co_await required_manifest(*call.request.body);
  const auto stored =
      co_await call.house.writing.writer.put_manifest(std::move(put), actor_of(call));
  auto reply = created("/v2/" + call.repository().text() + "/manifests/" + stored.digest.text(),
                       stored.digest);
  if (stored.subject) reply.headers.set("OCI-Subject", stored.subject->text());
  list_tags(reply, call.request);
  co_return reply;
}

async::Task<http::Reply> delete_manifest(Call call) {
  const auto reference = required_reference(call.argument);
  const bool removed = co_await (reference.tag() ? remove_tag(call, *reference.tag())
                                                 : remove_manifest(call, *reference.digest()));
  if (!removed) throw oci::Refusal(oci::ErrorCode::manifest_unknown, "no such manifest here");
  co_return empty_reply(202);
}

}  // namespace entrepot::api
