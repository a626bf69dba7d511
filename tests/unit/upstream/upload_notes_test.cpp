// Uploads that are gone on with by a process after the one that began them.
#include "upstream/upload_notes.hpp"

#include "entrepot/index/notes.hpp"
#include "entrepot/upstream/place.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_index.hpp"
#include "unit/upstream/push_lab.hpp"

namespace entrepot::upstream::upload_notes_test {
namespace {

constexpr const char* scope = "uploads under way";

class UploadsKept : public PushLab {
 protected:
  UploadsKept() {
    options.retries = 0;
    options.uploads = {.index = &facts, .owner = "rule"};
  }
  // A daemon that starts: it knows what the index knows.
  registry::Place& started() {
    place_ = connect_place(options, client, pool, clock, metrics);
    return *place_;
  }
  bool pushes(registry::Place& place) {
    const auto taken = run(place.put_blob(app(), offer(large)));
    return taken.has_value();
  }
  void break_off() {
    server.before_body("PATCH", shelf.cut_after(5'000'000), 1);
    ASSERT_FALSE(pushes(started()));
  }
  std::vector<index::Note> kept() {
    return run(
        facts.read([](const index::View& view) { return index::notes(view, scope, {}, 10'000); }));
  }

  test::MemoryIndex facts;
  test::ManualClock clock;
  http::Client client;
  async::BlockingPool pool{1};
  std::unique_ptr<registry::Place> place_;
};

// Rows: N-06, N-10
TEST_F(UploadsKept, go_on_after_a_restart) {
  break_off();
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_TRUE(pushes(started()));
  EXPECT_EQ(stored(large), large);
  EXPECT_EQ(shelf.uploaded(), large.size());
  EXPECT_EQ(server.count("POST"), 1U);
  EXPECT_TRUE(kept().empty());
}

TEST_F(UploadsKept, begin_anew_when_the_registry_has_forgotten_them) {
  break_off();
  shelf.forget_uploads();
  EXPECT_TRUE(pushes(started()));
  EXPECT_EQ(stored(large), large);
  EXPECT_EQ(server.count("POST"), 2U);
  EXPECT_TRUE(kept().empty());
}

TEST_F(UploadsKept, are_their_owners) {
  break_off();
  options.uploads.owner = "another rule";
  EXPECT_TRUE(pushes(started()));
  EXPECT_EQ(server.count("POST"), 2U);
  EXPECT_EQ(kept().size(), 1U);
}

TEST_F(UploadsKept, are_few_and_not_old) {
  for (int i = 0; i < 300; ++i) {
    clock.advance(std::chrono::seconds(1));
    const auto asker = std::make_shared<Asker>(options, client, pool, clock, metrics);
    UploadNotes notes(options.uploads, asker, clock);
    run(notes.keep(
        {app(), digest_of(std::to_string(i))},
        {.url = 0, .address = *http::parse_url(server.url() + "/u/" + std::to_string(i))}));
  }
  EXPECT_EQ(kept().size(), 256U);
  const auto asker = std::make_shared<Asker>(options, client, pool, clock, metrics);
  UploadNotes notes(options.uploads, asker, clock);
  const UploadKey oldest(app(), digest_of("0"));
  const UploadKey newest(app(), digest_of("299"));
  EXPECT_FALSE(run(notes.find(oldest)));
  ASSERT_TRUE(run(notes.find(newest)));
  EXPECT_EQ(run(notes.find(newest))->address.path, "/u/299");
  clock.advance(std::chrono::hours(8 * 24));
  EXPECT_FALSE(run(notes.find(newest)));
  run(notes.keep(newest,
                 {.url = 0, .address = *http::parse_url(server.url() + "/u/x?_state=a%3D")}));
  EXPECT_EQ(kept().size(), 1U);
  EXPECT_EQ(run(notes.find(newest))->address.query, "_state=a%3D");
}

// A store's signed address is a secret; a configuration of today leads nowhere else.
TEST_F(UploadsKept, lie_at_the_registry_itself) {
  const auto asker = std::make_shared<Asker>(options, client, pool, clock, metrics);
  UploadNotes notes(options.uploads, asker, clock);
  const UploadKey key(app(), digest_of("x"));
  for (const auto& address : {std::string("https://store.example/u?X-Signature=1"),
                              server.url() + "/u?_state=" + std::string(5000, 'x')}) {
    run(notes.keep(key, {.url = 0, .address = *http::parse_url(address)}));
    EXPECT_TRUE(kept().empty());
  }
  run(notes.keep(key, {.url = 0, .address = *http::parse_url(server.url() + "/u")}));
  auto elsewhere = options;
  elsewhere.urls = {"http://127.0.0.1:1"};
  UploadNotes others(options.uploads,
                     std::make_shared<Asker>(elsewhere, client, pool, clock, metrics), clock);
  EXPECT_FALSE(run(others.find(key)));
  EXPECT_TRUE(run(notes.find(key)));
  for (const auto* row : {"", "x", "1", "1 ", "1 a", "1 a b", "99999999999999999999 a b"}) {
    run(facts.write([&](index::Batch& batch) {
      index::set_note(batch, scope, index::notes(batch, scope, {}, 1).at(0).key, row);
    }));
    EXPECT_FALSE(run(notes.find(key))) << row;
  }
}

}  // namespace
}  // namespace entrepot::upstream::upload_notes_test
