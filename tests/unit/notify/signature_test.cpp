#include "notify/signature.hpp"

#include <gtest/gtest.h>

namespace entrepot::notify::signature_test {
namespace {

// RFC 4231, test case 2.
TEST(Signature, is_hmac_sha256) {
  EXPECT_EQ(signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace entrepot::notify::signature_test
