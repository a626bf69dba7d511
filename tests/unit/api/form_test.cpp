#include "api/form.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entrepot::api::form_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Form, decodes_what_oauth2_clients_post) {
  const auto form = parse_form(
      "grant_type=password&username=al%C3%ADce&password=a+b%2Bc%26%3D%25&scope=repository%3Aa%"
      "3Apull"
      "&scope=x&empty=");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->value("grant_type"), "password");
  EXPECT_EQ(form->value("username"),
            "al\xC3\xAD"
            "ce");
  EXPECT_EQ(form->value("password"), "a b+c&=%");
  EXPECT_THAT(form->all("scope"), ElementsAre("repository:a:pull", "x"));
  EXPECT_EQ(form->value("empty"), "");
  EXPECT_THAT(form->all("absent"), IsEmpty());
}

TEST(Form, refuses_what_it_cannot_decode_cleanly) {
  for (const auto text : {"a=%", "a=%0", "a=%zz", "a=%00", "a=\xff", "a=%ff", "a b=c", "a=#"}) {
    EXPECT_FALSE(parse_form(text)) << text;
  }
  EXPECT_TRUE(parse_form(""));
}

}  // namespace
}  // namespace entrepot::api::form_test
