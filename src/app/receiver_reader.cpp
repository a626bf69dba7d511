#include "app/receiver_reader.hpp"

#include <array>
#include <fstream>
#include <memory>

#include "app/config_words.hpp"
#include "app/upstream_reader.hpp"
#include "entrepot/http/url.hpp"

namespace entrepot::app {
namespace {

using index::EventKind;

struct EventWord {
  std::string_view word;
  EventKind kind;
};
constexpr std::array<EventWord, 5> event_words{{{"push", EventKind::push},
                                                {"pull", EventKind::pull},
                                                {"delete", EventKind::removal},
                                                {"tag", EventKind::tag_moved},
                                                {"mount", EventKind::mount}}};

EventKind read_event(const YamlValue& value) {
  const auto word = value.text();
  for (const auto& each : event_words) {
    if (each.word == word) return each.kind;
  }
  value.fail("expected push, pull, delete, tag or mount, found '" + word + "'");
}

std::set<EventKind> read_events(const std::optional<YamlValue>& value) {
  std::set<EventKind> events;
  if (!value) {
    for (const auto& each : event_words) events.insert(each.kind);
    return events;
  }
  for (const auto& item : value->one_or_more()) events.insert(read_event(item));
  return events;
}

// Without the line break an editor leaves at its end.
std::string read_secret(const YamlValue& value) {
  std::ifstream stream(value.readable_file());
  std::string secret;
  std::getline(stream, secret);
  if (secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) value.fail("the first line of the secret file is empty");
  return secret;
}

void read_headers(YamlSection section, notify::Receiver& receiver) {
  for (const auto& [name, value] : section.take_rest()) {
    if (!is_header_name(name)) value.fail("'" + name + "' cannot be the name of a header");
    auto text = value.text();
    if (text.find_first_of("\r\n") != std::string::npos) value.fail("a header is one line");
    receiver.headers.emplace_back(name, std::move(text));
  }
}

std::shared_ptr<const http::Transport> read_transport(YamlSection& section) {
  auto transport = std::make_shared<http::Transport>();
  std::chrono::milliseconds timeout = std::chrono::seconds(5);
  if (const auto value = section.take("timeout")) timeout = value->duration();
  transport->connect = transport->first_byte = transport->idle = transport->total = timeout;
  if (const auto value = section.take("ca")) transport->ca_file = value->readable_file();
  return transport;
}

}  // namespace

notify::Receiver read_receiver(const YamlValue& value, std::set<std::string>& taken) {
  auto section = value.section();
  notify::Receiver receiver;
  const auto name = section.require("name");
  receiver.name = name.text();
  if (!is_upstream_name(receiver.name)) {
    name.fail("expected lower-case letters, digits, '.', '_' or '-', found '" + receiver.name +
              "'");
  }
  if (!taken.insert(receiver.name).second) {
    name.fail("'" + receiver.name + "' names a receiver already");
  }
  const auto url = section.require("url");
  receiver.url = url.text();
  if (!http::parse_url(receiver.url)) url.fail("expected an http:// or https:// URL");
  if (http::has_user_information(receiver.url)) {
    url.fail("a URL may hold no user name or password: use headers or secret_file");
  }
  if (const auto secret = section.take("secret_file")) receiver.secret = read_secret(*secret);
  if (const auto headers = section.take("headers")) read_headers(headers->section(), receiver);
  receiver.events = read_events(section.take("events"));
  if (const auto globs = section.take("repositories")) receiver.repositories = read_globs(*globs);
  if (const auto keep = section.take("keep")) receiver.keep = keep->duration();
  receiver.transport = read_transport(section);
  section.finish();
  return receiver;
}

}  // namespace entrepot::app
