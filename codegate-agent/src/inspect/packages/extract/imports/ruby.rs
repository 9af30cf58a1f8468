//! Ruby: what is required is often named as its gem is; where it is not, a table says so.

use super::{each_node, first_string, longest, run, slice};
use crate::inspect::packages::{
    Ecosystem,
    extract::{Context, Sink},
};

/// Ruby's own libraries, and the gems that come with it.
const OWN: &str = "\
    English abbrev base64 benchmark bigdecimal bundler cgi cgi/util cmath coverage csv date dbm debug \
    delegate did_you_mean digest drb e2mmap erb error_highlight etc expect fcntl fiber fiddle \
    fileutils find forwardable gdbm getoptlong io ipaddr irb json kconv logger matrix minitest \
    mkmf monitor mutex_m net/ftp net/http net/https net/imap net/pop net/protocol net/smtp nkf \
    objspace observer open-uri open3 openssl optparse optionparser ostruct pathname pp prettyprint \
    prime profile profiler pstore psych pty racc rake rbconfig rdoc readline reline resolv rexml \
    rexml/document rinda ripper rss ruby2_keywords rubygems scanf sdbm securerandom set shell \
    shellwords singleton socket stringio strscan sync syntax_suggest syslog tempfile test/unit \
    thread thwait time timeout tmpdir tracer tsort un unicode_normalize uri weakref webrick \
    win32ole xmlrpc yaml zlib";

/// What is required, and the gem that brings it.
const GEMS: &[(&str, &str)] = &[
    ("action_cable", "actioncable"),
    ("action_controller", "actionpack"),
    ("action_dispatch", "actionpack"),
    ("action_mailer", "actionmailer"),
    ("action_view", "actionview"),
    ("active_job", "activejob"),
    ("active_model", "activemodel"),
    ("active_record", "activerecord"),
    ("active_storage", "activestorage"),
    ("active_support", "activesupport"),
    ("aws-sdk", "aws-sdk"),
    ("capybara", "capybara"),
    ("coffee_script", "coffee-script"),
    ("concurrent", "concurrent-ruby"),
    ("dry/monads", "dry-monads"),
    ("dry/schema", "dry-schema"),
    ("dry/struct", "dry-struct"),
    ("dry/types", "dry-types"),
    ("dry/validation", "dry-validation"),
    ("em-http", "em-http-request"),
    ("google/apis", "google-apis-core"),
    ("google/cloud/bigquery", "google-cloud-bigquery"),
    ("google/cloud/pubsub", "google-cloud-pubsub"),
    ("google/cloud/storage", "google-cloud-storage"),
    ("google/protobuf", "google-protobuf"),
    ("i18n", "i18n"),
    ("mini_magick", "mini_magick"),
    ("net/scp", "net-scp"),
    ("net/sftp", "net-sftp"),
    ("net/ssh", "net-ssh"),
    ("opentelemetry/sdk", "opentelemetry-sdk"),
    ("rack/attack", "rack-attack"),
    ("rack/cors", "rack-cors"),
    ("rack/test", "rack-test"),
    ("rails", "rails"),
    ("ruby_llm", "ruby_llm"),
    ("rspec/core", "rspec-core"),
    ("rspec/rails", "rspec-rails"),
    ("selenium/webdriver", "selenium-webdriver"),
    ("selenium-webdriver", "selenium-webdriver"),
    ("tty/prompt", "tty-prompt"),
    ("tty/spinner", "tty-spinner"),
    ("twilio-ruby", "twilio-ruby"),
];

pub(in super::super) fn ruby(sink: &mut Sink, text: &str, base: usize) {
    each_node(&tree_sitter_ruby::LANGUAGE.into(), text, &mut |node| {
        run::read(sink, node, text, base);
        let method = node
            .child_by_field_name("method")
            .filter(|_| node.kind() == "call" && node.child_by_field_name("receiver").is_none());
        match method.map(|method| slice(text, method.byte_range())) {
            Some("require") => {}
            Some("gem") => return gem(sink, node, text, base),
            _ => return,
        }
        let Some(range) = first_string(node, text) else {
            return;
        };
        let path = slice(text, range.clone());
        if let Some((name, length)) = provider(path) {
            let range = base + range.start..base + range.start + length;
            sink.add(Context::Import, Ecosystem::RubyGems, name, None, range);
        }
    });
}

/// `gem "name"` in a script, as inline Bundler has it.
fn gem(sink: &mut Sink, call: tree_sitter::Node<'_>, text: &str, base: usize) {
    if let Some(range) = first_string(call, text) {
        let name = slice(text, range.clone());
        let range = base + range.start..base + range.end;
        sink.add(Context::Manifest, Ecosystem::RubyGems, name, None, range);
    }
}

/// The gem that brings a path, and how much of the path names it.
fn provider(path: &str) -> Option<(&str, usize)> {
    let own = |path: &str| OWN.split_ascii_whitespace().any(|own| own == path);
    let top = path.split('/').next().filter(|top| !top.is_empty())?;
    if path.starts_with(['.', '/', '~']) || own(path) {
        return None;
    }
    match longest(GEMS, path, '/') {
        Some(gem) => Some((gem, path.len())),
        None if own(top) || top == "net" => None,
        None => Some((top, top.len())),
    }
}
