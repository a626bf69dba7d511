#include "app/lease_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_files.hpp"
#include "entrepot/base/bytes.hpp"

namespace entrepot::app::lease_book_test {
namespace {

using test::ConfigFiles;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

oci::Digest digest(std::string_view content, oci::Algorithm algorithm) {
  return oci::Digest::of(algorithm, base::as_bytes(content));
}

// Rows: G-03
TEST(LeaseBook, a_new_directory_has_promised_nothing) {
  const ConfigFiles files;
  EXPECT_THAT(promises_of_last_run(files.place()), Optional(IsEmpty()));
}

TEST(LeaseBook, what_was_written_is_known_until_it_is_forgotten) {
  const ConfigFiles files;
  std::filesystem::create_directory(files.place() / "index");
  EXPECT_FALSE(promises_of_last_run(files.place()));
  const auto a = digest("a", oci::Algorithm::sha256);
  const auto b = digest("b", oci::Algorithm::sha512);
  write_promises(files.place(), {a, b});
  EXPECT_THAT(promises_of_last_run(files.place()), Optional(ElementsAre(a, b)));
  write_promises(files.place(), {});
  EXPECT_THAT(promises_of_last_run(files.place()), Optional(IsEmpty()));
  forget_promises(files.place());
  EXPECT_FALSE(promises_of_last_run(files.place()));
  forget_promises(files.place());
}

TEST(LeaseBook, a_file_that_is_not_whole_says_nothing) {
  const ConfigFiles files;
  std::filesystem::create_directory(files.place() / "index");
  const auto line = digest("a", oci::Algorithm::sha256).text() + "\n";
  for (const auto& text : {std::string(), line, line + "en", line + "banana\nend\n"}) {
    files.write("leases", text);
    EXPECT_FALSE(promises_of_last_run(files.place())) << text;
  }
}

}  // namespace
}  // namespace entrepot::app::lease_book_test
