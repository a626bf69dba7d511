#include "app/config_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_error.hpp"
#include "config_files.hpp"

namespace entrepot::app::config_reader_test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ConfigFiles;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> addresses(const Config& config) {
  std::vector<std::string> found;
  for (const auto& listener : config.listen) found.push_back(listener.address);
  return found;
}

std::string error_of(const std::filesystem::path& file) {
  try {
    read_config(file);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

struct Mistake {
  std::string_view text;
  int line;
  std::string_view says;
};

constexpr std::string_view one = "upstreams:\n  - name: a\n    urls: [\"http://x\"]\n";

const Mistake mistakes[] = {
    {"banana: 1\n", 1, "unknown key 'banana'"},
    {"data: /d\n\nbanana: 1\n", 3, "unknown key 'banana'"},
    {"log: {level: info, colour: red}\n", 1, "unknown key 'colour'"},
    {"drain: 1s\ndrain: 2s\n", 2, "a second time"},
    {"log:\n  level: info\n  level: info\n", 3, "a second time"},
    {"drain: 10\n", 1, "duration"},
    {"drain: 10 parsecs\n", 1, "duration"},
    {"drain: [1s]\n", 1, "single value"},
    {"data: /d\ndrain:\nthreads: 1\n", 2, "no value"},
    {"threads: many\n", 1, "number from 0 to 1024"},
    {"threads: 0x10\n", 1, "number"},
    {"threads: -1\n", 1, "number"},
    {"threads: 2000\n", 1, "number"},
    {"listen: nowhere\n", 1, "ADDRESS:PORT"},
    {"listen: \"127.0.0.1:99999\"\n", 1, "ADDRESS:PORT"},
    {"listen: \"::1:5000\"\n", 1, "ADDRESS:PORT"},
    {"listen:\n  - \"127.0.0.1:1\"\n  - \"example.com:2\"\n", 3, "ADDRESS:PORT"},
    {"listen: []\n", 1, "at least one"},
    {"listen: {a: b}\n", 1, "list"},
    {"listen:\n  - {a: b}\n", 2, "'address' is missing"},
    {"listen:\n  - {address: \"127.0.0.1:1\", a: b}\n", 2, "unknown key 'a'"},
    {"listen: \"unix:relative\"\n", 1, "unix:/PATH"},
    {"listen:\n  - {address: \"unix:/s\", tls: {certificate: a, key: b}}\n", 2, "no TLS"},
    {"listen:\n  - {address: \"127.0.0.1:1\", tls: {certificate: none.pem, key: b}}\n", 2,
     "no such file"},
    {"listen:\n  - {address: \"127.0.0.1:1\", tls: {key: b}}\n", 2, "'certificate' is missing"},
    {"external_url: registry.example\n", 1, "http://"},
    {"external_url: https://registry.example/path\n", 1, "scheme, host and port alone"},
    {"external_url: https://u:p@registry.example\n", 1, "scheme, host and port alone"},
    {"trusted_proxies: [\"10.0.0.0/8\", \"proxy.example\"]\n", 1, "network"},
    {"trusted_proxies: [\"10.0.0.0/40\"]\n", 1, "network"},
    {"access: {banana: 1}\n", 1, "'banana'"},
    {"access: {htpasswd: /none}\n", 1, "no such file"},
    {"access:\n  rules:\n    - {who: [], repositories: [\"**\"], may: [pull]}\n", 3,
     "at least one"},
    {"access:\n  rules:\n    - {who: anonymous, may: [pull]}\n", 3, "'repositories' is missing"},
    {"access:\n  rules:\n    - {who: anonymous, repositories: [\"**\"], may: [steal]}\n", 3,
     "pull, create"},
    {"access:\n  rules:\n    - {who: group:none, repositories: [\"**\"], may: [pull]}\n", 3,
     "no group 'none'"},
    {"access: {groups: [a]}\n", 1, "keys and values"},
    {"access: {groups: {a: b}}\n", 1, "list"},
    {"access: {tokens: {lifetime: 1s}}\n", 1, "from 1m"},
    {"access: {issuers: [{issuer: a, audience: b}]}\n", 1, "'keys' is missing"},
    {"registry: {missing: maybe}\n", 1, "allow_children"},
    {"registry: {delete: no}\n", 1, "true or false"},
    {"registry:\n  immutable:\n    - {tags: [a]}\n", 3, "'repositories' is missing"},
    {"registry:\n  quotas:\n    - {repositories: [a]}\n", 3, "a quota limits"},
    {"registry:\n  quotas:\n    - {repositories: [a], bytes: 5GB}\n", 3, "size"},
    {"registry: {uploads: {total: 0}}\n", 1, "number"},
    {"history: {keep: long}\n", 1, "duration"},
    {"collect: {every: daily}\n", 1, "duration"},
    {"collect: {delete_untagged: 1}\n", 1, "true or false"},
    {"notifications:\n  - {url: http://x}\n", 2, "'name' is missing"},
    {"notifications:\n  - {name: a, url: ftp://x}\n", 2, "http://"},
    {"notifications:\n  - {name: a, url: \"http://u:p@x\"}\n", 2, "user name"},
    {"notifications:\n  - {name: a, url: http://x, events: [poke]}\n", 2, "expected push"},
    {"notifications:\n  - {name: a, url: http://x, secret_file: none}\n", 2, "no such file"},
    {"notifications:\n  - {name: a, url: http://x, headers: {\"a b\": c}}\n", 2, "header"},
    {"notifications:\n  - {name: a, url: http://x}\n  - {name: a, url: http://y}\n", 3,
     "names a receiver already"},
    {"version: 0.1\nstorage: {delete: {enabled: true}}\n", 1, "another registry"},
    {"admin_listen: [\"127.0.0.1:1\"]\n", 1, "single value"},
    {"log: text\n", 1, "keys and values"},
    {"log: {level: loud}\n", 1, "trace, debug"},
    {"log: {format: xml}\n", 1, "text or json"},
    {"abandoned_fills: maybe\n", 1, "finish or economical"},
    {"local: acme\n", 1, "list"},
    {"upstreams: []\n", 1, "at least one upstream"},
    {"upstreams: {name: a}\n", 1, "list"},
    {"upstreams:\n  - urls: [\"http://x\"]\n", 2, "'name' is missing"},
    {"upstreams:\n  - name: a\n", 2, "'urls' is missing"},
    {"upstreams:\n  - name: UPPER\n    urls: [\"http://x\"]\n", 2, "found 'UPPER'"},
    {"upstreams:\n  - name: a/b\n    urls: [\"http://x\"]\n", 2, "found 'a/b'"},
    {"upstreams:\n  - name: v2\n    urls: [\"http://x\"]\n", 2, "found 'v2'"},
    {"upstreams:\n  - name: a\n    urls: [\"ftp://x\"]\n", 3, "http://"},
    {"upstreams:\n  - name: a\n    urls: [\"http://u:p@x\"]\n", 3, "password_file"},
    {"upstreams:\n  - name: a\n    urls: [\"https:/u:p@x\"]\n", 3, "password_file"},
    {"upstreams:\n  - name: a\n    urls: [\"https:///u:p@x/\"]\n", 3, "password_file"},
    {"upstreams:\n  - name: a\n    urls: [\"http://x/?q=1\"]\n", 3, "no query"},
    {"upstreams:\n  - name: a\n    urls: [\"http://x\"]\n    colour: red\n", 4, "'colour'"},
    {"upstreams:\n  - name: a\n    urls: [http://x]\n  - name: a\n    urls: [http://y]\n", 4,
     "names an upstream already"},
    {"upstreams:\n  - {name: a, urls: [http://x], aliases: [h]}\n"
     "  - {name: b, urls: [http://y], aliases: [h]}\n",
     3, "names an upstream already"},
    {"upstreams:\n  - {name: a, urls: [http://x], aliases: [Upper]}\n", 2, "lower case"},
    {"upstreams:\n  - {name: a, urls: [http://x], aliases: [h/p]}\n", 2, "host"},
    {"upstreams:\n  - {name: a, urls: [http://x], library: yes}\n", 2, "true or false"},
    {"upstreams:\n  - {name: a, urls: [http://x], username: u}\n", 2, "password_file"},
    {"upstreams:\n  - {name: a, urls: [http://x], password_file: /none}\n", 2, "no such file"},
    {"upstreams:\n  - {name: a, urls: [http://x], docker_config: none.json}\n", 2, "no such file"},
    {"upstreams:\n  - {name: a, urls: [http://x], ca: /etc}\n", 2, "no such file: /etc"},
    {"upstreams:\n  - {name: a, urls: [http://x], proxy: \"socks5://x\"}\n", 2, "http://"},
    {"upstreams:\n  - {name: a, urls: [http://x], timeouts: {banana: 1s}}\n", 2, "'banana'"},
    {"upstreams:\n  - {name: a, urls: [http://x], freshness: {fresh: soon}}\n", 2, "duration"},
    {"upstreams:\n  - {name: a, urls: [http://x], concurrency: 0}\n", 2, "number"},
    {"upstreams:\n  - {name: a, urls: [http://x], pinned: [[x]]}\n", 2, "single value"},
    {"a: [1,\nb: }\n", 2, "illegal"},
    // Stray tokens: nothing of a file is left unread.
    {"data: /d\nstray\n", 2, "'stray' has no value"},
    {"data: /d\n}\n", 2, "illegal flow end"},
    {"data: /d\n]\n", 2, "illegal flow end"},
    {"log: {level: info}}\n", 1, "illegal flow end"},
    {"log: {level: info} stray\n", 1, "end of map"},
    {"data: \"/d\" stray\n", 1, "end of map"},
    {"data: /d\n- a\n", 2, "end of map"},
    {"data: /d\n@\n", 2, "unknown token"},
    {"data: a: b\n", 1, "illegal map value"},
    {"data: *d\n", 1, "anchor"},
    {"log: {level: info\n", 2, "end of map flow"},
    {"data: /d\ndrain: \"1s\nthreads: 1\n", 2, "never ends"},
    {"data: '/d''s\n", 1, "never ends"},
    {"# \xc3\xa4\ndata: '/d\n", 2, "never ends"},
    {"data: \"/d\\\"\n", 1, "never ends"},
    // Indentation by tabs, and by too much or too little.
    {"log:\n\tlevel: info\n", 2, "illegal"},
    {"data: /d\n\tthreads: 1\n", 2, "tab"},
    {"\tdata: /d\n", 1, "illegal"},
    {"data: /d\n threads: 1\n", 2, "illegal map value"},
    {"log:\n  level: info\n format: text\n", 3, "end of map"},
    {"log: {level: info, level: info}\n", 1, "a second time"},
    {"upstreams:\n  - name: a\n    name: b\n    urls: [http://x]\n", 3, "a second time"},
    {"<<: {data: /d}\n", 1, "unknown key '<<'"},
    // A second document, said or not.
    {"data: /d\n---\ndata: /e\n", 2, "more than one"},
    {"data: /d\n---\n", 2, "more than one"},
    {"---\n---\ndata: /d\n", 2, "more than one"},
    {"data: /d\n...\ndata: /e\n", 3, "more than one"},
    {"data: /d\n...\nstray\n", 3, "more than one"},
    {"{data: /d}\nthreads: 1\n", 2, "more than one"},
    {"data: /d\n%foo\nthreads: 1\n", 3, "more than one"},
    {"- a\n- b\n", 1, "keys and values"},
    {"just text\n", 1, "keys and values"},
};

// Rows: O-13
TEST(ConfigReader, every_mistake_is_one_sentence_with_file_and_line) {
  const ConfigFiles files;
  for (const auto& mistake : mistakes) {
    const auto file = files.write("config.yaml", mistake.text);
    const auto error = error_of(file);
    EXPECT_THAT(error,
                testing::StartsWith(file.string() + ':' + std::to_string(mistake.line) + ": "))
        << mistake.text;
    EXPECT_THAT(error, HasSubstr(std::string(mistake.says))) << mistake.text;
    EXPECT_THAT(error, testing::Not(HasSubstr("\n"))) << mistake.text;
  }
}

// Rows: O-13
TEST(ConfigReader, file_that_cannot_be_read_is_named) {
  const ConfigFiles files;
  EXPECT_THAT(error_of(files.place() / "none.yaml"), HasSubstr("none.yaml"));
  EXPECT_THAT(error_of(files.place()), HasSubstr("cannot be read"));
}

TEST(ConfigReader, quotes_may_stand_in_quotes_and_one_document_may_have_its_marks) {
  const ConfigFiles files;
  const struct {
    std::string_view text;
    std::string_view data;
  } cases[] = {{"---\ndata: '/it''s'\n...\n", "/it's"},
               {"data: \"/say \\\"x\\\"\"\n", "/say \"x\""},
               {"# 'one quote\ndata: /o'clock # \"\n", "/o'clock"},
               {"data: \"/a\n  b\"\n", "/a b"},
               {"\xef\xbb\xbf"
                "data: \"/d\"\n",
                "/d"},
               {"# \xc3\xa4\ndata: '/d'\n", "/d"}};
  for (const auto& each : cases) {
    const auto config = read_config(files.write("config.yaml", each.text));
    EXPECT_EQ(config.data, each.data) << each.text;
  }
}

TEST(ConfigReader, nothing_said_is_a_mirror_of_the_public_registries) {
  const ConfigFiles files;
  for (const auto text : {"", "# nothing\n", "---\n"}) {
    const auto config = read_config(files.write("config.yaml", text));
    EXPECT_THAT(addresses(config), ElementsAre("127.0.0.1:5000"));
    EXPECT_EQ(config.data, "/var/lib/entrepot");
    EXPECT_EQ(config.drain, seconds(30));
    std::vector<std::string> names;
    for (const auto& upstream : config.upstreams) names.push_back(upstream.name());
    EXPECT_THAT(names, ElementsAre("hub", "ghcr.io", "quay.io", "gcr.io", "registry.k8s.io",
                                   "mcr.microsoft.com", "public.ecr.aws"));
    EXPECT_THAT(config.upstreams[0].aliases,
                ElementsAre("docker.io", "registry-1.docker.io", "index.docker.io"));
    EXPECT_EQ(config.upstreams[0].official_images, registry::OfficialImages::yes);
    EXPECT_EQ(config.upstreams[1].official_images, registry::OfficialImages::no);
  }
}

TEST(ConfigReader, every_key_arrives_where_it_belongs) {
  const ConfigFiles files;
  files.write("secret", "s3cret");
  const auto config = read_config(files.write("config.yaml", R"(
listen: ["127.0.0.1:1", "[::]:2"]
admin_listen: "127.0.0.1:3"
data: /somewhere
threads: 7
log: {level: trace, format: json}
drain: 2m
abandoned_fills: economical
local: ["acme/*", "our/**"]
upstreams:
  - name: corp
    aliases: ["r.example:5000", corp]
    urls: ["https://a.example/prefix", "http://b.example"]
    library: true
    username: bot
    password_file: secret
    ca: secret
    client_certificate: secret
    client_key: secret
    proxy: http://proxy:3128
    no_proxy: ".corp"
    http2: true
    private_network: true
    trusted_realms: ["https://auth.example"]
    timeouts: {connect: 1s, first_byte: 2s, idle: 3s, total: 4s}
    retries: 9
    concurrency: 11
    freshness: {fresh: 1h, stale_while_revalidate: 2h, stale_if_error: 3d, negative: 500ms}
    offline: true
    pinned: ["a/b:1.*"]
    refuse_rollback: true
)"));
  EXPECT_THAT(addresses(config), ElementsAre("127.0.0.1:1", "[::]:2"));
  EXPECT_EQ(config.admin_listen, "127.0.0.1:3");
  EXPECT_EQ(config.data, "/somewhere");
  EXPECT_EQ(config.threads, 7U);
  EXPECT_EQ(config.log_level, base::log::Level::trace);
  EXPECT_EQ(config.log_format, base::log::Format::json);
  EXPECT_EQ(config.drain, seconds(120));
  EXPECT_EQ(config.abandoned_fills, mirror::AbandonedFill::economical);
  EXPECT_THAT(config.local, ElementsAre("acme/*", "our/**"));
  ASSERT_EQ(config.upstreams.size(), 1U);
  const auto& corp = config.upstreams[0];
  EXPECT_EQ(corp.name(), "corp");
  EXPECT_EQ(corp.mirror.name, "corp");
  EXPECT_THAT(corp.aliases, ElementsAre("r.example:5000"));
  EXPECT_THAT(corp.remote.urls, ElementsAre("https://a.example/prefix", "http://b.example"));
  EXPECT_EQ(corp.official_images, registry::OfficialImages::yes);
  EXPECT_EQ(corp.remote.username, "bot");
  const auto secret = (files.place() / "secret").string();
  EXPECT_EQ(corp.remote.password_file, secret);
  EXPECT_EQ(corp.remote.transport.ca_file, secret);
  EXPECT_EQ(corp.remote.transport.client_certificate, secret);
  EXPECT_EQ(corp.remote.transport.client_key, secret);
  EXPECT_EQ(corp.remote.transport.proxy, "http://proxy:3128");
  EXPECT_EQ(corp.remote.transport.no_proxy, ".corp");
  EXPECT_EQ(corp.remote.transport.version, http::HttpVersion::http2);
  EXPECT_EQ(corp.remote.private_network, upstream::PrivateNetwork::allowed);
  EXPECT_THAT(corp.remote.trusted_realms, ElementsAre("https://auth.example"));
  EXPECT_EQ(corp.remote.transport.connect, seconds(1));
  EXPECT_EQ(corp.remote.transport.first_byte, seconds(2));
  EXPECT_EQ(corp.remote.transport.idle, seconds(3));
  EXPECT_EQ(corp.remote.transport.total, seconds(4));
  EXPECT_EQ(corp.remote.retries, 9U);
  EXPECT_EQ(corp.remote.concurrency, 11U);
  EXPECT_EQ(corp.mirror.freshness.fresh, hours(1));
  EXPECT_EQ(corp.mirror.freshness.stale_while_revalidate, hours(2));
  EXPECT_EQ(corp.mirror.freshness.stale_if_error, hours(72));
  EXPECT_EQ(corp.mirror.freshness.negative, milliseconds(500));
  EXPECT_EQ(corp.mirror.asking, mirror::Asking::never);
  EXPECT_EQ(corp.mirror.rollback, mirror::Rollback::refused);
  EXPECT_THAT(corp.mirror.pinned, ElementsAre("a/b:1.*"));
}

TEST(ConfigReader, aliases_are_the_hosts_of_the_urls_unless_said) {
  const ConfigFiles files;
  const auto config = read_config(files.write("config.yaml", R"(
upstreams:
  - {name: hub, urls: ["https://registry-1.docker.io"]}
  - {name: a, urls: ["http://127.0.0.1:5000", "https://a.example:443", "https://cache/a"]}
  - {name: b, urls: ["http://127.0.0.1:5000", "https://b.example:8443"]}
)"));
  EXPECT_THAT(config.upstreams[0].aliases,
              ElementsAre("docker.io", "registry-1.docker.io", "index.docker.io"));
  EXPECT_EQ(config.upstreams[0].official_images, registry::OfficialImages::yes);
  EXPECT_THAT(config.upstreams[1].aliases, ElementsAre("127.0.0.1:5000", "a.example"));
  EXPECT_THAT(config.upstreams[2].aliases, ElementsAre("b.example:8443"));
}

TEST(ConfigReader, secrets_come_from_the_credentials_of_systemd_first) {
  const ConfigFiles files;
  const ConfigFiles credentials;
  files.write("corp.password", "old");
  const auto credential = credentials.write("corp.password", "new");
  const auto file = files.write("config.yaml", std::string(one) +
                                                   "    username: u\n"
                                                   "    password_file: corp.password\n");
  ::setenv("CREDENTIALS_DIRECTORY", credentials.place().c_str(), 1);
  const auto found = read_config(file).upstreams[0].remote.password_file;
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_EQ(found, credential.string());
  EXPECT_EQ(read_config(file).upstreams[0].remote.password_file,
            (files.place() / "corp.password").string());
}

TEST(ConfigReader, examples_are_correct) {
  const std::filesystem::path examples(ENTREPOT_CONFIG_DIR);
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(examples)) {
    const ConfigFiles files;
    auto text = test::read_file(entry.path());
    // The examples keep their secrets in /etc/entrepot; here they are made for them.
    for (std::size_t at = 0; (at = text.find("/etc/entrepot", at)) != std::string::npos;) {
      text.replace(at, std::string_view("/etc/entrepot").size(), files.place().string());
    }
    for (const auto name : {"hub.password", "corp.password", "corp-ca.pem", "docker-config.json",
                            "htpasswd", "registry.pem", "registry.key", "deploy.secret",
                            "lan-ca.pem", "paris.password", "harbor.password"}) {
      files.write(name, "x");
    }
    EXPECT_NO_THROW(read_config(files.write("config.yaml", text))) << entry.path();
    ++read;
  }
  EXPECT_GE(read, 10);
}

}  // namespace
}  // namespace entrepot::app::config_reader_test
