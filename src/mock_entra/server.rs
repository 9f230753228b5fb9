//! Starts and stops the stand-in: the HTTP server, and the thread of the engine.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use super::certificate::Certificate;
use super::clock::MockClock;
use super::config::MockConfig;
use super::engine::{Engine, Step};
use super::fault::FaultPlan;
use super::graph::{Ids, Refusal};
use super::settings::check_factor;
use super::shared::{Settings, Shared, World};
use super::wire::Wire;
use super::{control, date, identity, jobs, log, principal, schema, secrets, state, token, upload};

/// An idle connection is kept this long. Microsoft's front ends keep it for minutes; closing early
/// makes clients run into a connection that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Threads of the HTTP server: requests are answered side by side, and the machine is left to the
/// client.
const WORKERS: usize = 2;
/// Longest sleep of the engine's thread; whatever changes wakes it earlier.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A running stand-in. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct MockEntra {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: ServerHandle,
    engine: Option<thread::JoinHandle<()>>,
}

impl MockEntra {
    /// Starts a stand-in; it runs until it is stopped or dropped. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on, the state file or the certificate cannot be read, a
    /// verified domain is missing, or the quarantine's factor is not greater than 0.
    #[expect(clippy::unused_async, reason = "needs a runtime, and may come to await")]
    pub async fn start(config: MockConfig) -> io::Result<Self> {
        check(&config)?;
        let certificate = match &config.certificate {
            Some(bytes) => Some(Certificate::read(bytes).ok_or_else(|| {
                invalid("the certificate is neither PEM nor DER of an RSA certificate")
            })?),
            None => None,
        };
        let clock = MockClock::default();
        let settings = Settings::of(&config);
        let mut engine = match &config.state {
            Some(path) => Engine::new(state::read(path)?),
            None => Engine::default(),
        };
        engine.run(&settings, clock.now());
        let listener = TcpListener::bind(config.listen)?;
        let address = listener.local_addr()?;
        let mut world = World::new(settings, FaultPlan::new(&config.faults), engine);
        world.certificates = certificate.into_iter().collect();
        let shared = Arc::new(Shared {
            clock,
            url: format!("http://{address}"),
            state: config.state.clone(),
            config,
            world: Mutex::new(world),
            wake: Condvar::new(),
        });

        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).wrap_fn(date::offset).configure(routes)
        })
        .on_connect(Wire::keep)
        // A client that hangs up must be noticed while its request is still being handled.
        .h1_allow_half_closed(false)
        .workers(WORKERS)
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);

        let engine = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("mock-entra".to_owned()).spawn(move || turn(&shared))?
        };
        Ok(Self { address, shared, server: handle, engine: Some(engine) })
    }

    /// `http://ADDRESS`, without a slash at the end: authority and Graph at once.
    #[must_use]
    pub fn url(&self) -> String {
        self.shared.url.clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it: open requests are dropped, and the directory is kept where a state file is named.
    pub async fn stop(mut self) {
        self.server.stop(false).await;
        self.end_engine();
        if let Some(engine) = self.engine.take() {
            // It ends within a step; a panic of its own has been reported already.
            let _ = engine.join();
        }
    }

    fn end_engine(&self) {
        self.shared.world().stopping = true;
        self.shared.wake.notify_all();
    }
}

impl Drop for MockEntra {
    fn drop(&mut self) {
        // The order is given at once; only the waiting is left out.
        drop(self.server.stop(false));
        self.end_engine();
    }
}

fn check(config: &MockConfig) -> io::Result<()> {
    if config.domains.is_empty() {
        return Err(invalid("there is no verified domain"));
    }
    check_factor(config.quarantine_factor).map_err(invalid)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn routes(config: &mut web::ServiceConfig) {
    let principal = "/{version:v1\\.0|beta}/servicePrincipals/{principal}";
    let jobs = format!("{principal}/synchronization/jobs");
    let job = |end: &str| web::resource(format!("{jobs}/{{job}}{end}"));
    let wrong_verb = || web::route().to(log::other_verb);
    config
        .service(
            web::resource("/{tenant}/oauth2/v2.0/token")
                .route(web::post().to(token::token))
                .default_service(web::route().to(token::other_verb)),
        )
        .service(
            web::resource("/metadata/identity/oauth2/token")
                .route(web::get().to(identity::imds))
                .default_service(web::route().to(identity::other_verb)),
        )
        .service(
            web::resource("/msi/token")
                .route(web::get().to(identity::endpoint))
                .default_service(web::route().to(identity::other_verb)),
        )
        .service(
            job("/bulkUpload")
                .route(web::post().to(upload::bulk_upload))
                .default_service(web::route().to(upload::other_verb)),
        )
        .service(
            web::resource([
                "/{version:v1\\.0|beta}/auditLogs/provisioning",
                "/{version:v1\\.0|beta}/auditLogs/provisioning/",
            ])
            .route(web::get().to(log::list))
            .default_service(wrong_verb()),
        )
        .service(
            web::resource(principal)
                .route(web::get().to(principal::get))
                .default_service(wrong_verb()),
        )
        .service(
            web::resource(format!("{principal}/synchronization/secrets"))
                .route(web::get().to(secrets::get))
                .route(web::put().to(secrets::put))
                .default_service(wrong_verb()),
        )
        .service(
            web::resource(jobs.as_str())
                .route(web::get().to(jobs::list))
                .default_service(wrong_verb()),
        )
        .service(job("").route(web::get().to(jobs::get)).default_service(wrong_verb()))
        .service(job("/start").route(web::post().to(jobs::start)).default_service(wrong_verb()))
        .service(job("/pause").route(web::post().to(jobs::pause)).default_service(wrong_verb()))
        .service(
            job("/validateCredentials")
                .route(web::post().to(jobs::validate_credentials))
                .default_service(wrong_verb()),
        )
        .service(job("/restart").route(web::post().to(jobs::restart)).default_service(wrong_verb()))
        .service(
            job("/schema")
                .route(web::get().to(schema::get))
                .route(web::put().to(schema::put))
                .route(web::delete().to(schema::delete))
                .default_service(wrong_verb()),
        )
        .configure(control::routes)
        .default_service(web::route().to(nowhere));
}

async fn nowhere(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    let message = format!("Resource not found for the segment '{}'.", request.path());
    Refusal::new(404, "BadRequest", message).answer(&Ids::of(&request), shared.clock.now())
}

/// The engine's thread: steps while there is work, sleeps while there is none.
fn turn(shared: &Shared) {
    let mut world = shared.world();
    while !world.stopping {
        let now = shared.clock.now();
        let World { engine, settings, .. } = &mut *world;
        match engine.step(settings, now) {
            Step::Working => {
                drop(world);
                thread::yield_now();
                world = shared.world();
            }
            Step::Finished => {
                drop(world);
                state::keep(shared);
                world = shared.world();
            }
            Step::Idle(wait) => {
                let wait = wait.and_then(|wait| u64::try_from(wait).ok());
                let wait = wait.map_or(LONGEST_SLEEP, Duration::from_micros).min(LONGEST_SLEEP);
                let woken = shared.wake.wait_timeout(world, wait);
                world = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
    drop(world);
    state::keep(shared);
}
