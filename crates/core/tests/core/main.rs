//! The domain on a store in memory, as the routes and the jobs call it. One program: to build it takes far longer than to run it.

mod ask_life;
mod asked;
mod authority;
mod cameras;
mod federated;
mod misuse;
mod plates;
mod receive_compile_fail;
mod receive_evidence;
mod retention_page;
mod sharing;
mod signin;
mod texts;
mod two_people;
