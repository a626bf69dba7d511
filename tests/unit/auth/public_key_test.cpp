#include "auth/public_key.hpp"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <boost/json/parse.hpp>

#include "auth/base64url.hpp"
#include "auth/jwk.hpp"
#include "auth/key_set.hpp"

namespace entrepot::auth::public_key_test {
namespace {

// RFC 7515 appendix A.2 and A.3, RFC 8037 appendix A.
constexpr const char* rsa_jwk =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJr)"
    R"(cS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63)"
    R"(kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I)"
    R"(5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";
constexpr const char* ec_jwk =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr const char* ed_jwk =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

constexpr const char* payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";

PublicKey key_of(const char* jwk) {
  return parse_jwk(boost::json::parse(jwk).as_object()).value().value();
}

bool verifies(const char* jwk, const std::string& text, std::string_view signature) {
  return key_of(jwk).verifies(text, from_base64url(signature).value());
}

// Rows: A-15
TEST(PublicKey, signatures_of_the_standards) {
  const auto es256 = std::string("eyJhbGciOiJFUzI1NiJ9.") + payload;
  const char* es256_signature =
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  EXPECT_TRUE(verifies(ec_jwk, es256, es256_signature));
  EXPECT_FALSE(verifies(ec_jwk, es256 + "A", es256_signature));
  EXPECT_FALSE(verifies(ec_jwk, es256, ""));
  EXPECT_FALSE(verifies(ec_jwk, es256, std::string(86, 'A'))) << "r = s = 0";

  const auto rs256 = std::string("eyJhbGciOiJSUzI1NiJ9.") + payload;
  const char* rs256_signature =
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
      "O8W2Fp5ju"
      "jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
      "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L0"
      "7Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
      "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUip"
      "UTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
  EXPECT_TRUE(verifies(rsa_jwk, rs256, rs256_signature));
  EXPECT_FALSE(verifies(rsa_jwk, rs256 + "A", rs256_signature));
  EXPECT_FALSE(verifies(rsa_jwk, es256, es256_signature));

  const std::string eddsa = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const char* eddsa_signature =
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
  EXPECT_TRUE(verifies(ed_jwk, eddsa, eddsa_signature));
  EXPECT_FALSE(verifies(ed_jwk, eddsa + "A", eddsa_signature));
}

TEST(PublicKey, the_key_fixes_the_algorithm) {
  EXPECT_EQ(key_of(rsa_jwk).algorithm(), Algorithm::rs256);
  EXPECT_EQ(key_of(ec_jwk).algorithm(), Algorithm::es256);
  EXPECT_EQ(key_of(ed_jwk).algorithm(), Algorithm::eddsa);
}

TEST(PublicKey, too_small_ones_and_other_kinds_are_refused) {
  EXPECT_FALSE(PublicKey::of(nullptr, {}));
  EXPECT_FALSE(PublicKey::of(own_key(EVP_RSA_gen(1024)), {}));
  EXPECT_TRUE(PublicKey::of(own_key(EVP_RSA_gen(2048)), {}));
  EXPECT_FALSE(PublicKey::of(own_key(EVP_EC_gen("secp256k1")), {}));
  EXPECT_FALSE(PublicKey::of(own_key(EVP_EC_gen("P-521")), {}));
  EXPECT_TRUE(PublicKey::of(own_key(EVP_EC_gen("P-384")), {}));
}

TEST(Jwk, what_is_not_for_us_is_passed_over_and_what_is_broken_refused) {
  enum class Outcome { key, none, error };
  const std::string ec(ec_jwk);
  const auto with = [&ec](const std::string& member) {
    return ec.substr(0, ec.size() - 1) + "," + member + "}";
  };
  const std::pair<std::string, Outcome> cases[] = {
      {ec, Outcome::key},
      {with(R"("use":"sig","alg":"ES256","kid":"a","key_ops":["verify"])"), Outcome::key},
      {with(R"("use":"enc")"), Outcome::none},
      {with(R"("alg":"RS256")"), Outcome::none},
      {with(R"("alg":7)"), Outcome::none},
      {R"({"kty":"oct","k":"c2VjcmV0"})", Outcome::none},
      {R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})", Outcome::none},
      {R"({"kty":"OKP","crv":"X25519","x":"AA"})", Outcome::none},
      {"{}", Outcome::none},
      {R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})", Outcome::error},
      {R"({"kty":"EC","crv":"P-256"})", Outcome::error},
      {R"({"kty":"EC","crv":"P-256","x":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",)"
       R"("y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})",
       Outcome::error},
      {R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", Outcome::error},
      {R"({"kty":"RSA","e":"AQAB"})", Outcome::error},
      {R"({"kty":"OKP","crv":"Ed25519","x":"AA"})", Outcome::error},
  };
  for (const auto& [text, outcome] : cases) {
    const auto key = parse_jwk(boost::json::parse(text).as_object());
    EXPECT_EQ(key.has_value(), outcome != Outcome::error) << text;
    if (key) EXPECT_EQ(key->has_value(), outcome == Outcome::key) << text;
  }
}

TEST(KeySet, of_jwks_and_of_pem) {
  const auto ec = std::string(ec_jwk);
  EXPECT_TRUE(KeySet::parse(" {\"keys\":[" + ec + "]}"));
  EXPECT_EQ(KeySet::parse("{\"keys\":[" + ec + "," + ed_jwk + R"(,{"kty":"oct","k":"AA"}]})")
                ->keys()
                .size(),
            2U);
  // RFC 8032's key in its usual dress.
  const std::string pem =
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
      "-----END PUBLIC KEY-----\n";
  EXPECT_EQ(KeySet::parse(pem + pem)->keys().size(), 2U);
  std::string many = "{\"keys\":[" + ec;
  for (std::size_t i = 0; i < KeySet::most_keys; ++i) many += "," + ec;
  const std::string bad[] = {
      "",
      "{}",
      "[]",
      "{\"keys\":{}}",
      "{\"keys\":[]}",
      "{\"keys\":[7]}",
      R"({"keys":[{"kty":"oct","k":"AA"}]})",
      "{\"keys\":[" + ec,
      many + "]}",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
      "-----END PRIVATE KEY-----\n",
      "secret",
  };
  for (const auto& text : bad) EXPECT_FALSE(KeySet::parse(text)) << text;
}

TEST(Base64url, is_one_text_a_value) {
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  EXPECT_EQ(from_base64url("-_8"), "\xfb\xff");
  EXPECT_EQ(from_base64url(""), "");
  for (const auto* const text : {"+/8", "-_8=", "-_9", "-", "a b", "abcde"}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
}

}  // namespace
}  // namespace entrepot::auth::public_key_test
