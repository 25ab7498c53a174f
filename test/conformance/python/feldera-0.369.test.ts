// Every scenario through client 0.369.0, the version that `pip install feldera` gives.
import { test } from 'uvu';
import { testClient } from './client-scenarios.ts';

await testClient('0.369.0');
test.run();
