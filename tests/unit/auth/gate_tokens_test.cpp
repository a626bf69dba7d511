// Tokens from end to end: what our own server makes, what others may bring, what is refused.
#include <array>

#include "auth/base64url.hpp"
#include "auth/jwt.hpp"
#include "auth/keyed_hash.hpp"
#include "auth/signing_key.hpp"
#include "unit/auth/gate_house.hpp"

namespace entrepot::auth::gate_tokens_test {
namespace {

using oci::ErrorCode;
using std::chrono::seconds;
using test::name;

const std::string challenge =
    R"(Bearer realm="https://registry.example/token",service="registry.example")";
const std::string invalid = challenge + R"(,error="invalid_token")";

std::string part(std::string_view json) { return to_base64url(json); }

struct GateTokens : testing::Test {
  Principal alice() { return house.identify(gate, basic("alice", "a-secret")); }
  Principal bob() { return house.identify(gate, basic("bob", "b-secret")); }

  std::string token(const Principal& principal, const std::vector<std::string>& scopes) {
    return gate.issue(principal, "registry.example", scopes).value().token;
  }
  Principal with(const std::string& text) { return house.identify(gate, bearer(text)); }

  std::int64_t now() const {
    return std::chrono::floor<seconds>(house.clock.wall()).time_since_epoch().count();
  }

  // As the server signs it, whatever it says.
  std::string signed_by(const SigningKey& key, const std::string& header,
                        const std::string& claims) const {
    const auto text = part(header) + "." + part(claims);
    return text + "." + to_base64url(key.sign(text));
  }
  std::string header(const SigningKey& key, const std::string& more = {}) const {
    return R"({"alg":"ES256","typ":"JWT","kid":")" + key.public_key().id() + "\"" + more + "}";
  }
  std::string claims(const std::string& more) const {
    return R"({"sub":"alice","proof":"password",)"
           R"("access":[{"type":"repository","name":"team/a","actions":["pull","push"]}])" +
           more + "}";
  }
  std::string usual(std::int64_t from = 0, std::int64_t until = 300) const {
    return R"(,"iss":"entrepot","aud":"registry.example","nbf":)" + std::to_string(now() + from) +
           R"(,"exp":)" + std::to_string(now() + until);
  }

  void expect_refused(const std::string& what, const std::string& text) {
    const auto refusal = house.refused(gate, bearer(text));
    EXPECT_EQ(refusal.code, ErrorCode::unauthorized) << what;
    EXPECT_EQ(refusal.challenge, invalid) << what;
  }

  GateHouse house;
  Gate gate{house.options_with_tokens(), house.pool, house.clock};
  SigningKey server = SigningKey::load_or_make(house.file("token.key"));
};

TEST_F(GateTokens, carry_what_was_asked_for_and_is_allowed) {
  const auto who = with(token(alice(), {"repository:team/a:pull,push repository:hub/library/x:*",
                                        "repository:other/a:pull"}));
  EXPECT_EQ(who.name, "alice");
  EXPECT_EQ(who.proof, Proof::token);
  ASSERT_TRUE(who.scopes);
  ASSERT_EQ(who.scopes->size(), 2U);
  EXPECT_EQ((*who.scopes)[0].repository, "team/a");
  EXPECT_EQ((*who.scopes)[0].rights, Right::pull | Right::push);
  EXPECT_EQ((*who.scopes)[1].repository, "hub/library/x");
  EXPECT_EQ((*who.scopes)[1].rights, Rights(Right::pull));
  EXPECT_NO_THROW(gate.require(who, Right::push, name("team/a")));
  EXPECT_NO_THROW(gate.require_for_ping(who));
}

TEST_F(GateTokens, are_for_the_names_a_client_may_mean) {
  const ScopeNaming naming = [](const oci::RepositoryName& written) {
    return std::vector{written, name("hub/" + written.text())};
  };
  const auto issued = gate.issue(alice(), "", {"repository:team/a:pull,push"}, naming);
  const auto who = with(issued.value().token);
  EXPECT_TRUE(gate.may(who, Right::push, name("team/a")));
  EXPECT_TRUE(gate.may(who, Right::pull, name("hub/team/a")));
  EXPECT_FALSE(gate.may(who, Right::push, name("hub/team/a")));
}

TEST_F(GateTokens, what_is_issued_is_dockers) {
  const auto issued = gate.issue(alice(), "registry.example", {"repository:team/a:pull"}).value();
  EXPECT_EQ(issued.lifetime, seconds(300));
  const auto read = parse_jwt(issued.token);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->algorithm, "ES256");
  EXPECT_EQ(read->key_id, server.public_key().id());
  EXPECT_EQ(read->claims.issuer, "entrepot");
  EXPECT_EQ(read->claims.subject, "alice");
  EXPECT_EQ(read->claims.audience, std::vector<std::string>{"registry.example"});
  EXPECT_EQ(read->claims.expires->time_since_epoch().count(), now() + 300);
  EXPECT_EQ(read->claims.not_before->time_since_epoch().count(), now());
  EXPECT_EQ(read->claims.issued->time_since_epoch().count(), now());
  EXPECT_FALSE(read->claims.id.empty());
  EXPECT_NE(read->claims.id,
            parse_jwt(gate.issue(alice(), "", {}).value().token).value().claims.id);
}

// Rows: A-16
TEST_F(GateTokens, allow_nothing_beyond_their_scope) {
  const auto pull = with(token(alice(), {"repository:team/a:pull"}));
  EXPECT_NO_THROW(gate.require(pull, Right::pull, name("team/a")));
  struct Case {
    Right right;
    const char* repository;
    const char* scope;
  };
  const Case cases[] = {
      {Right::push, "team/a", "repository:team/a:pull,push"},
      {Right::create, "team/a", "repository:team/a:pull,push"},
      {Right::remove, "team/a", "repository:team/a:delete"},
      {Right::pull, "team/a/b", "repository:team/a/b:pull"},
      {Right::pull, "team/ab", "repository:team/ab:pull"},
  };
  for (const auto& each : cases) {
    const auto refusal = refusal_of([&] { gate.require(pull, each.right, name(each.repository)); });
    EXPECT_EQ(refusal.code, ErrorCode::unauthorized) << each.scope;
    EXPECT_EQ(refusal.challenge,
              challenge + ",scope=\"" + each.scope + R"(",error="insufficient_scope")");
  }
  EXPECT_EQ(refusal_of([&] { gate.require(pull, Right::pull, name("team")); }).code,
            ErrorCode::denied)
      << "no token of alice's would do";
  EXPECT_EQ(refusal_of([&] { gate.require_admin(pull); }).code, ErrorCode::unauthorized);
}

// Rows: A-16
TEST_F(GateTokens, do_not_renew_or_widen_themselves) {
  const auto pull = with(token(alice(), {"repository:team/a:pull"}));
  EXPECT_EQ(refusal_of([&] { gate.issue(pull, "", {"repository:team/a:push"}); }).code,
            ErrorCode::unauthorized);
  EXPECT_FALSE(gate.issue_refresh_token(pull, ""));
}

// Rows: A-16
TEST_F(GateTokens, an_anonymous_token_asks_for_a_name_when_it_does_not_do) {
  const auto nobody = with(token({}, {"repository:team/a:pull"}));
  EXPECT_TRUE(nobody.name.empty());
  const auto refusal = refusal_of([&] { gate.require(nobody, Right::pull, name("team/a")); });
  EXPECT_EQ(refusal.code, ErrorCode::unauthorized);
  EXPECT_NE(refusal.challenge.find("insufficient_scope"), std::string::npos);
  const auto bare = refusal_of([&] { gate.require({}, Right::push, name("team/a")); });
  EXPECT_EQ(bare.challenge, challenge + R"(,scope="repository:team/a:pull,push")");
}

// Rows: A-18
TEST_F(GateTokens, the_catalog_has_a_scope_of_its_own) {
  const auto pull = with(token(bob(), {"repository:team/a:pull"}));
  const auto refusal = refusal_of([&] { gate.require_any(pull); });
  EXPECT_EQ(refusal.challenge,
            challenge + R"(,scope="registry:catalog:*",error="insufficient_scope")");
  const auto lists = with(token(bob(), {"registry:catalog:*"}));
  EXPECT_NO_THROW(gate.require_any(lists));
  EXPECT_TRUE(gate.may_see(lists, name("team/a")));
  EXPECT_FALSE(gate.may_see(lists, name("other/a")));
  EXPECT_FALSE(gate.may(lists, Right::pull, name("team/a"))) << "seeing is not pulling";
}

// Rows: A-09
TEST_F(GateTokens, the_rules_are_asked_again_on_use) {
  const auto text = token(alice(), {"repository:team/a:pull,push"});
  auto options = house.options_with_tokens();
  options.rules = {rule({{Subject::Kind::everyone}}, {"team/**"}, Right::pull)};
  gate.reload(options);
  const auto who = with(text);
  EXPECT_TRUE(gate.may(who, Right::pull, name("team/a")));
  EXPECT_EQ(refusal_of([&] { gate.require(who, Right::push, name("team/a")); }).code,
            ErrorCode::denied);
  house.write_users(entry("bob", "b-secret"));
  house.clock.advance(seconds(1));
  expect_refused("its user is gone", text);
}

// Rows: K-03
TEST_F(GateTokens, clocks_may_differ_by_a_minute) {
  const auto at = [&](std::int64_t from, std::int64_t until) {
    return signed_by(server, header(server), claims(usual(from, until)));
  };
  EXPECT_EQ(with(at(60, 300)).name, "alice");
  EXPECT_EQ(with(at(-300, -60)).name, "alice");
  expect_refused("not yet", at(61, 300));
  expect_refused("over", at(-300, -61));
}

// Rows: K-03
TEST_F(GateTokens, end_although_they_were_seen_before) {
  const auto text = token(alice(), {"repository:team/a:pull"});
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(with(text).name, "alice");
    house.clock.advance(seconds(60));
  }
  house.clock.advance(seconds(1));
  expect_refused("over", text);
}

// Rows: A-15
TEST_F(GateTokens, what_is_not_ours_is_refused) {
  const auto stranger = SigningKey::load_or_make(house.file("stranger.key"));
  const auto good = signed_by(server, header(server), claims(usual()));
  EXPECT_EQ(with(good).name, "alice");

  const auto kid = server.public_key().id();
  const auto body = part(claims(usual()));
  // The text of the public key as the secret of an HMAC: the HS/RS mix.
  const auto confused = part(R"({"alg":"HS256","typ":"JWT","kid":")" + kid + "\"}") + "." + body;
  const std::string own_jwk = R"(,"jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"})";
  const auto with_claims = [&](const std::string& text) {
    return signed_by(server, header(server), text);
  };
  const auto exp = R"(,"exp":)" + std::to_string(now() + 300);
  const std::pair<const char*, std::string> cases[] = {
      {"alg none", part(R"({"alg":"none","typ":"JWT"})") + "." + body + "."},
      {"alg none with our kid",
       part(R"({"alg":"none","typ":"JWT","kid":")" + kid + "\"}") + "." + body + "."},
      {"alg None", part(R"({"alg":"None","typ":"JWT","kid":")" + kid + "\"}") + "." + body + "."},
      {"HS256", confused + "." + to_base64url(plain_hash(confused))},
      {"alg RS256 with an EC signature",
       signed_by(server, R"({"alg":"RS256","typ":"JWT","kid":")" + kid + "\"}", claims(usual()))},
      {"alg ES384",
       signed_by(server, R"({"alg":"ES384","typ":"JWT","kid":")" + kid + "\"}", claims(usual()))},
      {"alg of another kind",
       signed_by(server, R"({"alg":7,"typ":"JWT","kid":")" + kid + "\"}", claims(usual()))},
      {"no alg", signed_by(server, R"({"typ":"JWT","kid":")" + kid + "\"}", claims(usual()))},
      {"signed by a stranger with our kid", signed_by(stranger, header(server), claims(usual()))},
      {"signed by a stranger", signed_by(stranger, header(stranger), claims(usual()))},
      {"a stranger's jwk with our kid",
       signed_by(stranger, header(server, own_jwk), claims(usual()))},
      {"x5c", signed_by(stranger, header(stranger, R"(,"x5c":["MIIB"])"), claims(usual()))},
      {"jku", signed_by(stranger, header(stranger, R"(,"jku":"https://evil.example/jwks")"),
                        claims(usual()))},
      {"no kid", signed_by(server, R"({"alg":"ES256","typ":"JWT"})", claims(usual()))},
      {"crit",
       signed_by(server, header(server, R"(,"crit":["b64"],"b64":false)"), claims(usual()))},
      {"a refresh token's type",
       signed_by(server, R"({"alg":"ES256","typ":"entrepot-refresh+jwt","kid":")" + kid + "\"}",
                 claims(usual()))},
      {"no expiry", with_claims(claims(R"(,"iss":"entrepot","aud":"registry.example")"))},
      {"wrong audience", with_claims(claims(R"(,"iss":"entrepot","aud":"other")" + exp))},
      {"no audience", with_claims(claims(R"(,"iss":"entrepot")" + exp))},
      {"wrong issuer", with_claims(claims(R"(,"iss":"somebody","aud":"registry.example")" + exp))},
      {"no issuer", with_claims(claims(R"(,"aud":"registry.example")" + exp))},
      {"expiry that is a text",
       with_claims(claims(R"(,"iss":"entrepot","aud":"registry.example","exp":"never")"))},
      {"expiry beyond numbers",
       with_claims(claims(R"(,"iss":"entrepot","aud":"registry.example","exp":1e300)"))},
      {"claims that are a list", signed_by(server, header(server), "[]")},
      {"a name without proof", with_claims(R"({"sub":"alice","access":[])" + usual() + "}")},
      {"a user who is not there",
       with_claims(R"({"sub":"mallory","proof":"password","access":[])" + usual() + "}")},
      {"1 MB", std::string(1 << 20, 'a')},
      {"1 MB of claims",
       signed_by(server, header(server),
                 claims(usual() + R"(,"pad":")" + std::string(1 << 20, 'a') + "\""))},
      {"deep claims",
       with_claims(claims(usual() + R"(,"pad":)" + std::string(500, '[') + std::string(500, ']')))},
      {"one part", "abc"},
      {"two parts", part("{}") + "." + body},
      {"five parts", good + ".a.b"},
      {"empty parts", ".."},
      {"padding", good + "="},
  };
  for (const auto& [what, text] : cases) expect_refused(what, text);
}

// Rows: A-15
TEST_F(GateTokens, every_changed_character_of_a_token_spoils_it) {
  const auto text = token(alice(), {"repository:team/a:pull"});
  ASSERT_EQ(with(text).name, "alice");
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto other = text;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    expect_refused(std::to_string(i), other);
  }
}

TEST_F(GateTokens, of_a_reloaded_key_end) {
  const auto text = token(alice(), {"repository:team/a:pull"});
  std::filesystem::remove(house.file("token.key"));
  gate.reload(house.options_with_tokens());
  expect_refused("signed by the old key", text);
}

TEST_F(GateTokens, that_could_not_be_sent_are_not_made) {
  std::vector<std::string> scopes;
  for (int i = 0; i < 100; ++i) {
    scopes.push_back("repository:team/" + std::string(240, 'a') + std::to_string(i) + ":pull");
  }
  EXPECT_EQ(refusal_of([&] { gate.issue(alice(), "", scopes); }).code, ErrorCode::bad_request);
  scopes.resize(15);
  EXPECT_EQ(with(token(alice(), scopes)).scopes->size(), 15U);
}

TEST_F(GateTokens, for_another_service_are_not_made) {
  EXPECT_EQ(refusal_of([&] { gate.issue(alice(), "other.example", {}); }).code,
            ErrorCode::bad_request);
  const Gate without(house.options_with_users(), house.pool, house.clock);
  EXPECT_FALSE(without.issue({}, "", {}));
}

TEST_F(GateTokens, a_certificate_is_proof_enough) {
  const auto machine = test::run_task(gate.identify({.client_certificate = "node-7"}));
  const auto who = with(token(machine, {"repository:hub/a:pull"}));
  EXPECT_EQ(who.name, "node-7");
  EXPECT_TRUE(gate.may(who, Right::pull, name("hub/a")));
}

// Rows: A-09
TEST_F(GateTokens, a_refresh_token_ends_with_the_password) {
  const auto text = gate.issue_refresh_token(alice(), "registry.example");
  ASSERT_TRUE(text);
  const auto who = gate.redeem_refresh_token(*text, "registry.example");
  ASSERT_TRUE(who);
  EXPECT_EQ(who->name, "alice");
  EXPECT_TRUE(gate.may(with(token(*who, {"repository:team/a:push"})), Right::push, name("team/a")));
  house.clock.advance(std::chrono::hours(24 * 365));
  EXPECT_TRUE(gate.redeem_refresh_token(*text, ""));

  house.write_users(entry("alice", "new") + entry("bob", "b-secret"));
  house.clock.advance(seconds(1));
  EXPECT_FALSE(gate.redeem_refresh_token(*text, ""));
  house.write_users(entry("bob", "b-secret"));
  house.clock.advance(seconds(1));
  EXPECT_FALSE(gate.redeem_refresh_token(*text, ""));
}

// Rows: A-15
TEST_F(GateTokens, access_and_refresh_are_not_taken_for_each_other) {
  const auto refresh = gate.issue_refresh_token(alice(), "").value();
  expect_refused("a refresh token", refresh);
  EXPECT_FALSE(gate.redeem_refresh_token(token(alice(), {}), ""));
  EXPECT_FALSE(gate.redeem_refresh_token("", ""));
  EXPECT_FALSE(gate.redeem_refresh_token(refresh + "A", ""));
  EXPECT_FALSE(gate.issue_refresh_token({}, ""));
}

struct ForeignTokens : GateTokens {
  ForeignTokens() {
    auto options = house.options_with_users();
    write_keys(issuer.public_key());
    options.issuers = {{.issuer = "https://gitlab.example",
                        .audience = "registry",
                        .keys = house.file("jwks.json"),
                        .realm = "https://gitlab.example/jwt/auth"}};
    gate.reload(options);
  }

  void write_keys(const PublicKey& key) {
    // The signing key's own file has the private half: hand out the public one.
    write_file(house.file("jwks.json"), jwks(house.file("issuer.key"), key.id()));
  }

  static std::string jwks(const std::filesystem::path& key_file, const std::string& id);

  std::string foreign(const std::string& access, const std::string& audience = "registry") const {
    return signed_by(issuer, header(issuer),
                     R"({"iss":"https://gitlab.example","sub":"ci-job","aud":")" + audience +
                         R"(","exp":)" + std::to_string(now() + 300) + R"(,"access":)" + access +
                         "}");
  }

  SigningKey issuer = SigningKey::load_or_make(house.file("issuer.key"));
};

std::string ForeignTokens::jwks(const std::filesystem::path& key_file, const std::string& id) {
  std::array<char, 4096> text{};
  const auto command = "openssl ec -in " + key_file.string() + " -pubout -outform DER 2>/dev/null";
  FILE* const pipe = ::popen(command.c_str(), "r");
  const auto size = std::fread(text.data(), 1, text.size(), pipe);
  ::pclose(pipe);
  // A SubjectPublicKeyInfo of P-256 ends with its point: 04, x, y.
  const std::string_view point(text.data() + size - 64, 64);
  return R"({"keys":[{"kty":"EC","crv":"P-256","use":"sig","kid":")" + id + R"(","x":")" +
         to_base64url(point.substr(0, 32)) + R"(","y":")" + to_base64url(point.substr(32)) +
         R"("}]})";
}

// Rows: A-15, A-16
TEST_F(ForeignTokens, allow_what_they_say_and_nothing_else) {
  const auto who =
      with(foreign(R"([{"type":"repository","name":"other/x","actions":["pull","push"]},)"
                   R"({"type":"repository","name":"Not A Name","actions":["*"]},)"
                   R"({"type":"machine","name":"team/a","actions":["*"]}])"));
  EXPECT_EQ(who.name, "ci-job");
  EXPECT_TRUE(who.foreign_token);
  EXPECT_NO_THROW(gate.require(who, Right::push, name("other/x"))) << "our rules are not asked";
  const auto refusal = refusal_of([&] { gate.require(who, Right::remove, name("other/x")); });
  EXPECT_EQ(refusal.challenge, R"(Bearer realm="https://gitlab.example/jwt/auth",)"
                               R"(service="registry",scope="repository:other/x:delete",)"
                               R"(error="insufficient_scope")");
  EXPECT_FALSE(gate.may(who, Right::pull, name("team/a")));
  EXPECT_FALSE(gate.may(who, Right::admin, name("other/x")));
  EXPECT_EQ(refusal_of([&] { gate.require_admin(who); }).code, ErrorCode::unauthorized);
}

// Rows: A-15, A-08
TEST_F(ForeignTokens, of_other_audiences_keys_and_names_are_refused) {
  const std::string any = R"([{"type":"repository","name":"a","actions":["*"]}])";
  EXPECT_EQ(with(foreign(any)).name, "ci-job");
  const auto refused = [&](const std::string& text) {
    return house.refused(gate, bearer(text)).code == ErrorCode::unauthorized;
  };
  EXPECT_TRUE(refused(foreign(any, "other")));
  const auto claims_of = [&](const std::string& subject) {
    return R"({"iss":"https://gitlab.example","sub":")" + subject +
           R"(","aud":["x","registry"],"exp":)" + std::to_string(now() + 300) + "}";
  };
  EXPECT_FALSE(house.identify(gate, bearer(signed_by(issuer, header(issuer), claims_of("ok"))))
                   .name.empty());
  EXPECT_TRUE(refused(signed_by(issuer, header(issuer), claims_of(std::string(operator_name)))));
  EXPECT_TRUE(refused(signed_by(server, header(server), claims_of("ci-job"))));
  EXPECT_TRUE(refused(signed_by(server, header(issuer), claims_of("ci-job"))));
  EXPECT_TRUE(refused(signed_by(server, header(server), claims(usual()))))
      << "without a token server of our own";
}

}  // namespace
}  // namespace entrepot::auth::gate_tokens_test
