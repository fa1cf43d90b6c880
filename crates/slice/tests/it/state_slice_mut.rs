//! Random scripts over `SliceMut`, whose frozen fronts others read.

use proptest::prelude::*;

use crate::machine::{Crew, MUT_OPS, run};
use crate::state_slice::{config, script};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn mutable_slices_show_what_their_models_show(script in script()) {
        run(&Crew::default(), &[MUT_OPS], &script);
    }
}
