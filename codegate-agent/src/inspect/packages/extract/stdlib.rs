//! What needs no package, and what has another name as a package than as a module.

/// Python's own modules, to version 3.14 and back to 3.6.
const PYTHON: &str = "\
    __future__ abc aifc annotationlib antigravity argparse array ast asynchat asyncio \
    asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi \
    cgitb chunk cmath cmd code codecs codeop collections colorsys compileall compression \
    concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses \
    dataclasses datetime dbm decimal difflib dis distutils doctest dummy_threading email \
    encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch formatter \
    fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip \
    hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress \
    itertools json keyword lib2to3 linecache locale logging lzma macpath mailbox mailcap \
    marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib \
    nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev parser pathlib pdb \
    pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile \
    pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re \
    readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex \
    shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile \
    sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau \
    symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios \
    textwrap this threading time timeit tkinter token tokenize tomllib trace traceback \
    tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv \
    warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp \
    zipfile zipimport zlib zoneinfo";

/// Node's own modules; `vscode` is provided by the editor, `bun` and `test` by their runtimes.
const NODE: &str = "\
    assert async_hooks buffer child_process cluster console constants crypto dgram \
    diagnostics_channel dns domain events fs http http2 https inspector module net os path \
    perf_hooks process punycode querystring readline repl stream string_decoder sys timers \
    tls trace_events tty url util v8 vm wasi worker_threads zlib test sea sqlite bun vscode";

/// What every Rust crate has, and what is the crate at hand.
const RUST: [&str; 10] = [
    "std",
    "core",
    "alloc",
    "proc_macro",
    "test",
    "crate",
    "self",
    "super",
    "main",
    "lib",
];

/// Python's modules whose distribution has another name. Looked up as they are, most would be
/// another project or none.
const DISTRIBUTIONS: &[(&str, &str)] = &[
    ("AppKit", "pyobjc-framework-cocoa"),
    ("Bio", "biopython"),
    ("Crypto", "pycryptodome"),
    ("Cryptodome", "pycryptodomex"),
    ("Foundation", "pyobjc-framework-cocoa"),
    ("Image", "pillow"),
    ("MySQLdb", "mysqlclient"),
    ("OpenGL", "pyopengl"),
    ("OpenSSL", "pyopenssl"),
    ("PIL", "pillow"),
    ("RPi", "rpi.gpio"),
    ("Xlib", "python-xlib"),
    ("_pytest", "pytest"),
    ("airflow", "apache-airflow"),
    ("allauth", "django-allauth"),
    ("attr", "attrs"),
    ("azure.core", "azure-core"),
    ("azure.cosmos", "azure-cosmos"),
    ("azure.identity", "azure-identity"),
    ("azure.keyvault.secrets", "azure-keyvault-secrets"),
    ("azure.storage.blob", "azure-storage-blob"),
    ("barcode", "python-barcode"),
    ("binance", "python-binance"),
    ("board", "adafruit-blinka"),
    ("box", "python-box"),
    ("bs4", "beautifulsoup4"),
    ("cairo", "pycairo"),
    ("community", "python-louvain"),
    ("consul", "python-consul"),
    ("corsheaders", "django-cors-headers"),
    ("crispy_forms", "django-crispy-forms"),
    ("crontab", "python-crontab"),
    ("cupy", "cupy-cuda12x"),
    ("cv2", "opencv-python"),
    ("daemon", "python-daemon"),
    ("dateutil", "python-dateutil"),
    ("debug_toolbar", "django-debug-toolbar"),
    ("decouple", "python-decouple"),
    ("delta", "delta-spark"),
    ("discord", "discord.py"),
    ("django_filters", "django-filter"),
    ("dns", "dnspython"),
    ("docx", "python-docx"),
    ("dotenv", "python-dotenv"),
    ("editor", "python-editor"),
    ("ee", "earthengine-api"),
    ("engineio", "python-engineio"),
    ("environ", "django-environ"),
    ("faiss", "faiss-cpu"),
    ("ffmpeg", "ffmpeg-python"),
    ("fitz", "pymupdf"),
    ("gi", "pygobject"),
    ("git", "gitpython"),
    ("github", "pygithub"),
    ("gitlab", "python-gitlab"),
    ("gnupg", "python-gnupg"),
    ("google.auth", "google-auth"),
    ("google.cloud.bigquery", "google-cloud-bigquery"),
    ("google.cloud.pubsub", "google-cloud-pubsub"),
    ("google.cloud.storage", "google-cloud-storage"),
    ("google.genai", "google-genai"),
    ("google.generativeai", "google-generativeai"),
    ("google.oauth2", "google-auth"),
    ("google.protobuf", "protobuf"),
    ("googleapiclient", "google-api-python-client"),
    ("grpc", "grpcio"),
    ("grpc_tools", "grpcio-tools"),
    ("igraph", "python-igraph"),
    ("jks", "pyjks"),
    ("jose", "python-jose"),
    ("json_logger", "python-json-logger"),
    ("jwt", "pyjwt"),
    ("kafka", "kafka-python"),
    ("ldap", "python-ldap"),
    ("magic", "python-magic"),
    ("memcache", "python-memcached"),
    ("mimeparse", "python-mimeparse"),
    ("mpl_toolkits", "matplotlib"),
    ("multipart", "python-multipart"),
    ("mysql", "mysql-connector-python"),
    ("mysql.connector", "mysql-connector-python"),
    ("nacl", "pynacl"),
    ("nmap", "python-nmap"),
    ("objc", "pyobjc-core"),
    ("opentelemetry", "opentelemetry-api"),
    ("osgeo", "gdal"),
    ("pam", "python-pam"),
    ("patoolib", "patool"),
    ("pdfminer", "pdfminer.six"),
    ("pkg_resources", "setuptools"),
    ("pptx", "python-pptx"),
    ("psycopg2", "psycopg2-binary"),
    ("pylab", "matplotlib"),
    ("pythoncom", "pywin32"),
    ("pythonjsonlogger", "python-json-logger"),
    ("pywt", "pywavelets"),
    ("rest_framework", "djangorestframework"),
    ("rest_framework_simplejwt", "djangorestframework-simplejwt"),
    ("serial", "pyserial"),
    ("sip", "pyqt5-sip"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("slugify", "python-slugify"),
    ("snappy", "python-snappy"),
    ("socketio", "python-socketio"),
    ("speech_recognition", "speechrecognition"),
    ("stdnum", "python-stdnum"),
    ("storages", "django-storages"),
    ("tabula", "tabula-py"),
    ("talib", "ta-lib"),
    ("telegram", "python-telegram-bot"),
    ("umap", "umap-learn"),
    ("usb", "pyusb"),
    ("whois", "python-whois"),
    ("win32api", "pywin32"),
    ("win32com", "pywin32"),
    ("win32con", "pywin32"),
    ("wx", "wxpython"),
    ("xdist", "pytest-xdist"),
    ("yaml", "pyyaml"),
    ("zmq", "pyzmq"),
];

pub(super) fn python(module: &str) -> bool {
    PYTHON.split_ascii_whitespace().any(|name| name == module)
}

pub(super) fn node(module: &str) -> bool {
    NODE.split_ascii_whitespace().any(|name| name == module)
}

pub(super) fn rust(name: &str) -> bool {
    RUST.contains(&name)
}

/// Whether a module, whole as it is, has a distribution of another name.
pub(super) fn has_distribution(module: &str) -> bool {
    DISTRIBUTIONS.iter().any(|(known, _)| *known == module)
}

/// The distribution that provides a module; its first part, if nothing else is known.
pub(super) fn distribution(module: &str) -> &str {
    let mut rest = module;
    loop {
        if let Some((_, name)) = DISTRIBUTIONS.iter().find(|(known, _)| *known == rest) {
            return name;
        }
        match rest.rsplit_once('.') {
            Some((parent, _)) => rest = parent,
            None => return rest,
        }
    }
}
