#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "entrepot/notify/notifier.hpp"
#include "unit/notify/events.hpp"

namespace entrepot::notify::envelope_test {
namespace {

using index::EventKind;

boost::json::value only_event(const std::string& envelope) {
  const auto whole = boost::json::parse(envelope);
  EXPECT_EQ(whole.as_object().size(), 1);
  EXPECT_EQ(whole.at("events").as_array().size(), 1);
  return whole.at("events").at(0);
}

constexpr base::WallTime noon{std::chrono::milliseconds(1'700'000'000'007)};

TEST(Envelope, is_that_of_docker_registry) {
  auto event = event_of(EventKind::push, "team/app", "v1", noon);
  event.sequence = 42;
  const auto id = std::string(only_event(render_envelope(event, "node-1")).at("id").as_string());
  EXPECT_EQ(render_envelope(event, "node-1"),
            R"({"events":[{"id":")" + id +
                R"(","timestamp":"2023-11-14T22:13:20.007Z","action":"push","target":{)"
                R"("mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                event.digest->text() +
                R"(","size":708,"length":708,"repository":"team/app",)"
                R"("url":"https://registry.example.org/v2/team/app/manifests/)" +
                event.digest->text() +
                R"(","tag":"v1"},"request":{"id":"0123456789abcdef","addr":"192.0.2.7:55555",)"
                R"("host":"registry.example.org","method":"PUT","useragent":"docker/24.0.5"},)"
                R"("actor":{"name":"alice"},)"
                R"("source":{"addr":"registry.example.org","instanceID":"node-1"}}]})");
}

TEST(Envelope, names_each_action) {
  const std::pair<EventKind, std::string> table[] = {{EventKind::push, "push"},
                                                     {EventKind::pull, "pull"},
                                                     {EventKind::removal, "delete"},
                                                     {EventKind::tag_moved, "tag"},
                                                     {EventKind::mount, "mount"}};
  for (const auto& [kind, action] : table) {
    const auto event = only_event(render_envelope(event_of(kind, "app", ""), "n"));
    EXPECT_EQ(event.at("action").as_string(), action);
  }
}

TEST(Envelope, leaves_out_what_is_not_known) {
  index::Event event;
  event.kind = EventKind::removal;
  event.repository = "app";
  event.tag = "v1";
  const auto found = only_event(render_envelope(event, "n"));
  EXPECT_EQ(found.at("target"), boost::json::parse(R"({"repository":"app","tag":"v1"})"));
  EXPECT_EQ(found.at("actor"), boost::json::parse("{}"));
  EXPECT_EQ(found.at("request"), boost::json::parse(R"({"id":"","method":"","useragent":""})"));
}

TEST(Envelope, links_blobs_where_blobs_are) {
  auto event = event_of(EventKind::mount, "app", "");
  event.media_type = "";
  event.from_repository = "base";
  const auto target = only_event(render_envelope(event, "n")).at("target");
  EXPECT_EQ(target.at("url").as_string(),
            "https://registry.example.org/v2/app/blobs/" + event.digest->text());
  EXPECT_EQ(target.at("mediaType").as_string(), "application/octet-stream");
  EXPECT_EQ(target.at("fromRepository").as_string(), "base");
}

TEST(Envelope, tells_where_a_tag_came_from) {
  auto event = event_of(EventKind::tag_moved, "app", "latest");
  event.from = digest_of("before");
  const auto target = only_event(render_envelope(event, "n")).at("target");
  EXPECT_EQ(target.at("from").as_string(), event.from->text());
}

TEST(Envelope, has_one_identity_for_every_delivery_of_an_event) {
  auto event = event_of(EventKind::push, "app", "v1", noon);
  event.sequence = 7;
  const auto id = only_event(render_envelope(event, "a")).at("id");
  EXPECT_EQ(id, only_event(render_envelope(event, "b")).at("id"));
  EXPECT_EQ(id.as_string().size(), 36);
  event.sequence = 8;
  EXPECT_NE(id, only_event(render_envelope(event, "a")).at("id"));
}

// Rows: R-12
TEST(Envelope, is_valid_json_whatever_clients_say) {
  auto event = event_of(EventKind::pull, "app", "v1");
  event.actor.user_agent = "bad \xff\xfe \"quoted\"\r\n\x01";
  const auto found = only_event(render_envelope(event, "n"));
  EXPECT_EQ(found.at("request").at("useragent").as_string(),
            "bad \xef\xbf\xbd\xef\xbf\xbd \"quoted\"\r\n\x01");
}

}  // namespace
}  // namespace entrepot::notify::envelope_test
