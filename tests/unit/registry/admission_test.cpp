#include "entrepot/registry/admission.hpp"

#include "registry_house.hpp"
#include "support/chunks.hpp"

namespace entrepot::test::admission_test {
namespace {

class Admission : public RegistryHouse {
 protected:
  std::unique_ptr<store::Spool> spool_of(std::string_view bytes) {
    auto spool = store_.begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(bytes));
    return spool;
  }
  bool recorded(std::string_view bytes) {
    return read(
        [&](const index::View& view) { return index::blob(view, digest_of(bytes)).has_value(); });
  }
};

void refuse(index::Batch&) { throw oci::Refusal(Code::denied, "quota exceeded"); }
void fill_up(index::Batch&) { throw index::IndexFull("full"); }
void nothing_more(index::Batch&) {}

TEST_F(Admission, file_row_and_link_appear_as_one) {
  const auto digest = push_blob("app", "content");
  EXPECT_TRUE(recorded("content"));
  EXPECT_TRUE(linked("app", digest));
  EXPECT_TRUE(pulls("app", digest));
  EXPECT_NE(metrics_.render().find("entrepot_store_blobs 1"), std::string::npos);
}

// Rows: D-07
TEST_F(Admission, what_is_refused_leaves_no_file) {
  for (const auto with : {refuse, fill_up}) {
    EXPECT_ANY_THROW(run(admission_.admit(spool_of("content"), digest_of("content"), with)));
    EXPECT_FALSE(recorded("content"));
    EXPECT_FALSE(store_.find(digest_of("content")));
  }
}

TEST_F(Admission, what_is_refused_leaves_the_file_that_others_have) {
  const auto digest = push_blob("app", "content");
  EXPECT_EQ(refused(admission_.admit(spool_of("content"), digest, refuse)), Code::denied);
  EXPECT_TRUE(pulls("app", digest));
}

// Rows: C-01, M-03
TEST_F(Admission, other_bytes_are_not_believed) {
  EXPECT_THROW(run(admission_.admit(spool_of("other"), digest_of("content"), nothing_more)),
               store::CommitRefused);
  EXPECT_FALSE(recorded("content"));
}

// Rows: C-15
TEST_F(Admission, a_damaged_file_is_mended_by_whoever_brings_the_bytes_again) {
  const auto digest = push_blob("app", "content");
  store_.put(digest, "rotten!");
  push_blob("other", "content");
  auto content = run(local_.blob(name("app"), digest));
  ASSERT_TRUE(content);
  EXPECT_EQ(run(text_from(*content->bytes, 0, 100)), "content");
}

async::Task<> sign_alone(registry::Admission& admission, oci::Digest digest, std::string signature,
                         std::vector<std::string>& signatures) {
  const auto stripe = co_await admission.alone_with(digest);
  signatures.push_back(signature);
}

// Rows: G-03
TEST_F(Admission, one_at_a_time_has_a_digest_to_itself) {
  std::vector<std::string> signatures;
  const auto executor = context_.get_executor();
  {
    const auto stripe = run(admission_.alone_with(digest_of("a")));
    async::spawn(executor, sign_alone(admission_, digest_of("a"), "same", signatures), "same");
    async::spawn(executor, sign_alone(admission_, digest_of("b"), "other", signatures), "other");
    context_.restart();
    context_.poll();
    EXPECT_EQ(signatures, std::vector<std::string>{"other"});
  }
  context_.restart();
  context_.poll();
  EXPECT_EQ(signatures, (std::vector<std::string>{"other", "same"}));
}

}  // namespace
}  // namespace entrepot::test::admission_test
