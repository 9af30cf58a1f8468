//! PHP: a namespace says vendor and package only by custom; what keeps to a known one is known.

use super::{each_node, longest, run, slice};
use crate::inspect::packages::{
    Ecosystem,
    extract::{Context, Sink},
};

/// Namespaces, and the package that brings them.
const PACKAGES: &[(&str, &str)] = &[
    (r"Aws", "aws/aws-sdk-php"),
    (r"Carbon", "nesbot/carbon"),
    (r"Composer", "composer/composer"),
    (r"Cake", "cakephp/cakephp"),
    (r"CodeIgniter", "codeigniter4/framework"),
    (r"Doctrine\Common\Collections", "doctrine/collections"),
    (r"Doctrine\DBAL", "doctrine/dbal"),
    (r"Doctrine\ORM", "doctrine/orm"),
    (r"Dompdf", "dompdf/dompdf"),
    (r"Dotenv", "vlucas/phpdotenv"),
    (r"Elastic\Elasticsearch", "elasticsearch/elasticsearch"),
    (r"Endroid\QrCode", "endroid/qr-code"),
    (r"Faker", "fakerphp/faker"),
    (r"Firebase\JWT", "firebase/php-jwt"),
    (r"Google\Cloud\Storage", "google/cloud-storage"),
    (r"GuzzleHttp", "guzzlehttp/guzzle"),
    (r"GuzzleHttp\Promise", "guzzlehttp/promises"),
    (r"GuzzleHttp\Psr7", "guzzlehttp/psr7"),
    (r"Illuminate", "laravel/framework"),
    (r"Inertia", "inertiajs/inertia-laravel"),
    (r"Intervention\Image", "intervention/image"),
    (r"Laravel\Passport", "laravel/passport"),
    (r"Laravel\Sanctum", "laravel/sanctum"),
    (r"Laravel\Socialite", "laravel/socialite"),
    (r"Laminas\Diactoros", "laminas/laminas-diactoros"),
    (r"Lcobucci\JWT", "lcobucci/jwt"),
    (r"League\Csv", "league/csv"),
    (r"League\Flysystem", "league/flysystem"),
    (r"League\OAuth2\Client", "league/oauth2-client"),
    (r"Livewire", "livewire/livewire"),
    (r"Maatwebsite\Excel", "maatwebsite/excel"),
    (r"Mockery", "mockery/mockery"),
    (r"MongoDB", "mongodb/mongodb"),
    (r"Monolog", "monolog/monolog"),
    (r"Mpdf", "mpdf/mpdf"),
    (r"Nyholm\Psr7", "nyholm/psr7"),
    (r"OpenAI", "openai-php/client"),
    (r"PHPMailer\PHPMailer", "phpmailer/phpmailer"),
    (r"PHPUnit", "phpunit/phpunit"),
    (r"PhpAmqpLib", "php-amqplib/php-amqplib"),
    (r"PhpOffice\PhpSpreadsheet", "phpoffice/phpspreadsheet"),
    (r"PhpOffice\PhpWord", "phpoffice/phpword"),
    (r"PhpParser", "nikic/php-parser"),
    (r"Predis", "predis/predis"),
    (r"Psr\Cache", "psr/cache"),
    (r"Psr\Container", "psr/container"),
    (r"Psr\Http\Client", "psr/http-client"),
    (r"Psr\Http\Message", "psr/http-message"),
    (r"Psr\Log", "psr/log"),
    (r"Psr\SimpleCache", "psr/simple-cache"),
    (r"Ramsey\Uuid", "ramsey/uuid"),
    (r"React\EventLoop", "react/event-loop"),
    (r"React\Http", "react/http"),
    (r"Slim", "slim/slim"),
    (r"Spatie\Permission", "spatie/laravel-permission"),
    (r"Stripe", "stripe/stripe-php"),
    (
        r"Symfony\Bundle\FrameworkBundle",
        "symfony/framework-bundle",
    ),
    (r"Tymon\JWTAuth", "tymon/jwt-auth"),
    (r"Twig", "twig/twig"),
    (r"Twilio", "twilio/sdk"),
    (r"Webmozart\Assert", "webmozart/assert"),
    (r"Yiisoft", "yiisoft/yii2"),
    (r"phpseclib3", "phpseclib/phpseclib"),
    (r"yii", "yiisoft/yii2"),
];

pub(in super::super) fn php(sink: &mut Sink, text: &str, base: usize) {
    // A piece of code comes without the mark that begins it.
    let language = match text.contains("<?") {
        true => tree_sitter_php::LANGUAGE_PHP,
        false => tree_sitter_php::LANGUAGE_PHP_ONLY,
    };
    each_node(&language.into(), text, &mut |node| {
        run::read(sink, node, text, base);
        let group = match node.kind() {
            "namespace_use_clause" => match node.parent() {
                Some(parent) if parent.kind() == "namespace_use_declaration" => node.named_child(0),
                _ => None,
            },
            // `use Vendor\Package\{A, B}`.
            "namespace_name" => match node.parent() {
                Some(parent) if parent.kind() == "namespace_use_declaration" => Some(node),
                _ => None,
            },
            _ => None,
        };
        if let Some(name) = group {
            let range = name.byte_range();
            let path = slice(text, range.clone()).trim_start_matches('\\');
            if let Some(package) = package(path) {
                let range = base + range.start..base + range.end;
                sink.add(Context::Import, Ecosystem::Packagist, &package, None, range);
            }
        }
    });
}

fn package(path: &str) -> Option<String> {
    let known = longest(PACKAGES, path, '\\').map(str::to_owned);
    known.or_else(|| {
        let (kind, rest) = path.strip_prefix(r"Symfony\")?.split_once('\\')?;
        let name = rest.split('\\').next().unwrap_or(rest);
        matches!(kind, "Component" | "Contracts").then(|| match kind {
            "Component" => format!("symfony/{}", in_kebab(name)),
            _ => format!("symfony/{}-contracts", in_kebab(name)),
        })
    })
}

/// `HttpFoundation` as `http-foundation`.
fn in_kebab(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}
