//! The programs of `examples/` run to their end.

#[path = "../examples/crops.rs"]
mod crops;
#[path = "../examples/game_layers.rs"]
mod game_layers;
#[path = "../examples/own_stream.rs"]
mod own_stream;
#[path = "../examples/practice.rs"]
mod practice;
#[path = "../examples/web_service.rs"]
mod web_service;

#[test]
fn game_layers_plays_to_the_third_bar() {
    game_layers::main().unwrap();
}

#[test]
fn web_service_answers() {
    web_service::main().unwrap();
}

#[test]
fn practice_loops() {
    practice::main().unwrap();
}

#[test]
fn crops_are_rendered() {
    crops::main().unwrap();
}

#[test]
fn own_stream_streams() {
    own_stream::main().unwrap();
}
