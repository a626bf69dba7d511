// The envelope of distribution's package "notifications": its names, its order, its omissions. What
// it does not know is added where receivers made for it look past it: the action "tag" and
// target.from.
#include "notify/envelope.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <ctime>

#include "entrepot/base/utf8.hpp"
#include "entrepot/notify/notifier.hpp"
#include "entrepot/oci/media_type.hpp"

namespace entrepot::notify {
namespace {

namespace json = boost::json;

// RFC 3339 in UTC with milliseconds.
std::string timestamp(base::WallTime time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t count = second.time_since_epoch().count();
  std::tm calendar{};
  ::gmtime_r(&count, &calendar);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &calendar));
  const auto fraction = std::to_string((time - second).count());
  return text + '.' + std::string(3 - fraction.size(), '0') + fraction + 'Z';
}

std::string_view action(index::EventKind kind) {
  switch (kind) {
    case index::EventKind::push:
      return "push";
    case index::EventKind::pull:
      return "pull";
    case index::EventKind::removal:
      return "delete";
    case index::EventKind::tag_moved:
      return "tag";
    case index::EventKind::mount:
      return "mount";
  }
  return "push";
}

// The same for every delivery of one event, so that a receiver can tell a repetition; in the form
// of a UUID (version 8), for receivers that keep it as one.
std::string identity(const index::Event& event) {
  const auto seed = std::to_string(event.sequence) + ' ' +
                    std::to_string(event.time.time_since_epoch().count()) + ' ' +
                    event.actor.request_id + ' ' + event.repository;
  auto hex = oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(seed)).hex().substr(0, 32);
  hex[12] = '8';
  hex[16] = 'a';
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) hex.insert(dash, "-");
  return hex;
}

void put_text(json::object& object, std::string_view name, std::string_view value) {
  if (!value.empty()) object[name] = base::valid_utf8(value);
}

std::string url_of(const index::Event& event) {
  if (event.actor.origin.empty() || !event.digest || event.kind == index::EventKind::removal)
    return {};
  const bool is_manifest = oci::manifest_kind(event.media_type) != oci::ManifestKind::unknown;
  return event.actor.origin + "/v2/" + event.repository +
         (is_manifest ? "/manifests/" : "/blobs/") + event.digest->text();
}

// Of a blob only its bytes are known.
std::string_view media_type_of(const index::Event& event) {
  const bool has_content = event.digest && event.kind != index::EventKind::removal;
  if (event.media_type.empty() && has_content) return "application/octet-stream";
  return event.media_type;
}

json::object target(const index::Event& event) {
  json::object object;
  put_text(object, "mediaType", media_type_of(event));
  if (event.digest) put_text(object, "digest", event.digest->text());
  if (event.size > 0) {
    object["size"] = event.size;
    object["length"] = event.size;
  }
  put_text(object, "repository", event.repository);
  put_text(object, "fromRepository", event.from_repository);
  put_text(object, "url", url_of(event));
  put_text(object, "tag", event.tag);
  if (event.from) put_text(object, "from", event.from->text());
  return object;
}

json::object request(const index::Actor& actor) {
  json::object object;
  object["id"] = base::valid_utf8(actor.request_id);
  put_text(object, "addr", actor.address);
  put_text(object, "host", actor.host);
  object["method"] = base::valid_utf8(actor.method);
  object["useragent"] = base::valid_utf8(actor.user_agent);
  return object;
}

}  // namespace

std::string render_envelope(const index::Event& event, std::string_view instance) {
  json::object actor;
  put_text(actor, "name", event.actor.name);
  json::object source;
  put_text(source, "addr", event.actor.host);
  put_text(source, "instanceID", instance);
  json::object object;
  object["id"] = identity(event);
  object["timestamp"] = timestamp(event.time);
  object["action"] = action(event.kind);
  object["target"] = target(event);
  object["request"] = request(event.actor);
  object["actor"] = std::move(actor);
  object["source"] = std::move(source);
  json::array events;
  events.push_back(std::move(object));
  return json::serialize(json::object{{"events", std::move(events)}});
}

}  // namespace entrepot::notify
